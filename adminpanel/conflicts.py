"""Two admins and one product: what the one has saved and what the other wants to save, side by side."""

from dataclasses import dataclass

from adminpanel.forms import EditProductForm, values_of
from inventory import catalogue
from inventory.models import Product
from inventory.money import euros


@dataclass(frozen=True)
class Difference:
    """One field that the two of them filled in differently. ``taken`` is theirs as the form would hold it."""

    field: str
    label: str
    theirs: str
    yours: str
    taken: str

    @property
    def is_picture(self) -> bool:
        return self.field == "image"


def differences(form: EditProductForm, current: Product) -> list[Difference]:
    """Where a valid form departs from the product as it stands in the shop now."""
    theirs = values_of(current)
    found = [
        Difference(
            name,
            str(form.fields[name].label),
            theirs=_shown(name, theirs[name]),
            yours=_shown(name, form.cleaned_data[name]),
            taken=str(form.fields[name].prepare_value(theirs[name])),
        )
        for name in theirs
        if name != "version" and theirs[name] != form.cleaned_data[name]
    ]
    picture = form.kept_picture
    if picture and picture != current.image_url:
        found.append(Difference("image", str(form.fields["image"].label), current.image_url, picture, taken=""))
    return found


def _shown(field: str, value: object) -> str:
    if field == "price":
        return euros(int(str(value)))
    if field == "category":
        return str(catalogue.CATEGORIES.get(str(value), value))
    if field == "status":
        return str(Product.STATUSES.get(str(value), value))
    return str(value)
