from django.apps import AppConfig


class VaultConfig(AppConfig):
    name = "vault"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from foundation.keys import personal
        from vault import sealing

        personal.provide(sealing.sealer)
