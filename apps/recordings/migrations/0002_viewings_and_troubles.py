"""Looking at recordings: viewings and what was read by them; and what keeps one from being kept."""

import django.db.models.deletion
import django.db.models.functions.datetime
import uuid
import vault.fields
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("meetings", "0004_consent_names"),
        ("recordings", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="hold",
            options={"verbose_name": "hold", "verbose_name_plural": "holds"},
        ),
        migrations.AlterModelOptions(
            name="retentionpolicy",
            options={
                "verbose_name": "recording policy",
                "verbose_name_plural": "recording policies",
            },
        ),
        migrations.AlterModelOptions(
            name="storedfilm",
            options={"verbose_name": "stored film", "verbose_name_plural": "stored films"},
        ),
        migrations.AddField(
            model_name="recording",
            name="seal_refusal",
            field=models.CharField(blank=True, max_length=160, verbose_name="refused"),
        ),
        migrations.AddField(
            model_name="recording",
            name="segments_dropped_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="recording",
            name="storage_trouble_since",
            field=models.DateTimeField(null=True, verbose_name="storage fails since"),
        ),
        migrations.AddField(
            model_name="recording",
            name="trouble",
            field=models.CharField(blank=True, max_length=20),
        ),
        migrations.AlterField(
            model_name="hold",
            name="placed_at",
            field=models.DateTimeField(verbose_name="placed"),
        ),
        migrations.AlterField(
            model_name="hold",
            name="placed_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="placed by",
            ),
        ),
        migrations.AlterField(
            model_name="hold",
            name="released_at",
            field=models.DateTimeField(null=True, verbose_name="released"),
        ),
        migrations.AlterField(
            model_name="hold",
            name="released_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="released by",
            ),
        ),
        migrations.AlterField(
            model_name="retentionpolicy",
            name="created_at",
            field=models.DateTimeField(
                db_default=django.db.models.functions.datetime.Now(), verbose_name="in force from"
            ),
        ),
        migrations.AlterField(
            model_name="storedfilm",
            name="duration_ms",
            field=models.PositiveBigIntegerField(verbose_name="length (ms)"),
        ),
        migrations.AlterField(
            model_name="storedfilm",
            name="place",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                to="meetings.participation",
                verbose_name="person",
            ),
        ),
        migrations.AlterField(
            model_name="storedfilm",
            name="read_back_at",
            field=models.DateTimeField(null=True, verbose_name="read back"),
        ),
        migrations.AlterField(
            model_name="storedfilm",
            name="size",
            field=models.PositiveBigIntegerField(default=0, verbose_name="bytes"),
        ),
        migrations.AlterField(
            model_name="storedfilm",
            name="sources",
            field=models.JSONField(verbose_name="what is in it"),
        ),
        migrations.AlterField(
            model_name="storedfilm",
            name="starts_ms",
            field=models.PositiveBigIntegerField(verbose_name="begins after (ms)"),
        ),
        migrations.CreateModel(
            name="Viewing",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("reason", vault.fields.SealedText(blank=True, verbose_name="reason")),
                ("session", models.CharField(max_length=64)),
                ("opened_at", models.DateTimeField(verbose_name="opened")),
                ("until", models.DateTimeField(verbose_name="open until")),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to="accounts.organisation"
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="who",
                    ),
                ),
                (
                    "recording",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="viewings",
                        to="recordings.recording",
                    ),
                ),
            ],
            options={
                "verbose_name": "viewing",
                "verbose_name_plural": "viewings",
            },
        ),
        migrations.CreateModel(
            name="FilmRead",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("answers", models.PositiveIntegerField(default=0, verbose_name="answers")),
                (
                    "given_bytes",
                    models.PositiveBigIntegerField(default=0, verbose_name="bytes given"),
                ),
                ("first_at", models.DateTimeField(verbose_name="first")),
                ("latest_at", models.DateTimeField(verbose_name="latest")),
                (
                    "film",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        to="recordings.storedfilm",
                        verbose_name="film",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to="accounts.organisation"
                    ),
                ),
                (
                    "viewing",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="read",
                        to="recordings.viewing",
                    ),
                ),
            ],
            options={
                "verbose_name": "film that was read",
                "verbose_name_plural": "films that were read",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("viewing", "film"), name="recordings_one_read_a_film"
                    )
                ],
            },
        ),
    ]
