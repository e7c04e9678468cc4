from django.urls import path

from media import views

urlpatterns = [path("media/enrol", views.enrol, name="worker-enrol")]
