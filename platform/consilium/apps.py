from django.apps import AppConfig


class ConsiliumConfig(AppConfig):
    name = "consilium"

    def ready(self) -> None:
        from consilium import checks, delivery

        delivery.register()
        checks.register()
