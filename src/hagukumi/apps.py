from django.apps import AppConfig


class HagukumiConfig(AppConfig):
    name = "hagukumi"
    label = "hagukumi"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from hagukumi.app import wiring

        wiring.connect()
