"""Every address of the web face. Screens come from `ui`, the machine's door from `api`."""

from django.urls import include, path

from hagukumi.api import app as api
from hagukumi.ui import urls as ui

urlpatterns = [path("api/", include(api.urlpatterns)), *ui.urlpatterns]
handler403 = "hagukumi.ui.errors.forbidden"
handler404 = "hagukumi.ui.errors.not_found"
handler500 = "hagukumi.ui.errors.broken"
