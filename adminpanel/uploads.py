"""Pictures that come with a product's form."""

from adminpanel.forms import ProductForm
from inventory import pictures
from inventory.errors import PictureRefused


def keep_picture(form: ProductForm) -> None:
    """Store the picture of a form that was sent before anything else of it can be refused.

    A browser never fills a file field by itself, so a picture that went down with a wrong price or with a conflict
    would have to be found and chosen again.
    """
    form.full_clean()
    upload = form.cleaned_data.get("image")
    if "kept_image" in form.errors:
        form.remember(kept_image="")
    if upload is None:
        return
    try:
        form.keep_picture(pictures.store(upload))
    except PictureRefused as refusal:
        form.add_error("image", refusal.sentence)
