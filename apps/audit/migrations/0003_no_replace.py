from django.db import migrations

from audit.insert_only import add_replace_trigger, drop_replace_trigger


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_insert_only")]

    operations = [migrations.RunPython(add_replace_trigger, drop_replace_trigger)]
