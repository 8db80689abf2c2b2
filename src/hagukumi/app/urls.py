"""Every address of the web face. Screens come from `ui`, the machine's door from `api`."""

from django.urls import include, path

from hagukumi.integrations.api import app as api
from hagukumi.screens import urls as ui

urlpatterns = [path("api/", include(api.urlpatterns)), *ui.urlpatterns]
handler400 = "hagukumi.screens.shell.errors.bad_request"
handler403 = "hagukumi.screens.shell.errors.forbidden"
handler404 = "hagukumi.screens.shell.errors.not_found"
handler500 = "hagukumi.screens.shell.errors.broken"
