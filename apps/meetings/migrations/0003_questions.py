"""A consent names the question it answers, so that the same words may be asked again.

Consents from before it stay written and answer no question any more.
"""

import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("meetings", "0002_consents")]

    operations = [
        migrations.AddField(
            model_name="meeting",
            name="consent_question",
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name="consent",
            name="question",
            field=models.UUIDField(default=uuid.uuid4),
            preserve_default=False,
        ),
        migrations.RemoveConstraint(model_name="consent", name="meetings_one_consent"),
        migrations.AddConstraint(
            model_name="consent",
            constraint=models.UniqueConstraint(
                condition=models.Q(("withdrawn_at__isnull", True)),
                fields=("participation", "question"),
                name="meetings_one_consent",
            ),
        ),
    ]
