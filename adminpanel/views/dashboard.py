"""What there is to do, and how the shop is doing."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from adminpanel.access import admin_required
from adminpanel.requests import AdminRequest


@admin_required
@require_safe
def dashboard(request: AdminRequest) -> HttpResponse:
    # Here, like all that the proof needs: a function that begins for a customer would pay for it.
    from adminpanel import charts
    from inventory import dashboard as figures_of_the_day

    figures = figures_of_the_day.figures()
    context = {"figures": figures, "chart": charts.by_day(figures.revenue_by_day), "proof": figures.proof}
    return render(request, "adminpanel/dashboard.html", context)
