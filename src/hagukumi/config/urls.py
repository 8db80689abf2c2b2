"""Every address of the web face. Screens come from `ui`, the machine's door from `api`."""

from django.urls import path

from hagukumi.api.app import api
from hagukumi.ui import urls as ui

urlpatterns = [path("api/", api.urls), *ui.urlpatterns]
handler403 = "hagukumi.ui.errors.forbidden"
handler404 = "hagukumi.ui.errors.not_found"
handler500 = "hagukumi.ui.errors.broken"
