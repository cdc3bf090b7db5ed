"""The audit log: who did what, and when."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from adminpanel.access import admin_required
from adminpanel.audit_form import AuditForm
from adminpanel.requests import AdminRequest
from inventory import audit


@admin_required
@require_safe
def audit_log(request: AdminRequest) -> HttpResponse:
    form = AuditForm(request.GET)
    makes_sense = form.is_valid()
    question = form.question()
    page = audit.look(**question)
    shown = question["month"] or question["before"][:7] or audit.this_month()
    context = {
        "form": form,
        "page": page,
        "is_first_page": not question["before"],
        # Of everybody and everything it is one month's; the one before is a page further.
        "month": "" if question["actor"] or question["target"] else shown,
        "month_before": audit.month_before(shown),
    }
    return render(request, "adminpanel/audit_log.html", context, status=200 if makes_sense else 422)
