"""The stacks of FormLens. `build` is the only place where they meet."""

import aws_cdk as cdk

from stacks.camera import CameraStack
from stacks.quota import QuotaStack
from stacks.reading import ReadingStack
from stacks.settings import Settings
from stacks.storage import StorageStack
from stacks.studio import StudioStack
from stacks.training import TrainingStack
from stacks.watch import WatchStack


def build(app: cdk.App, settings: Settings, *, env: cdk.Environment | None = None) -> None:
    """Put every stack of one stage into the app; without ``env`` the templates fit any account and region."""
    name = f"FormLens-{settings.stage}"
    storage = StorageStack(app, f"{name}-Storage", settings=settings, env=env)
    reading = ReadingStack(app, f"{name}-Reading", storage=storage, settings=settings, env=env)
    watch = WatchStack(app, f"{name}-Watch", reading=reading, settings=settings, env=env)
    trained = None
    if settings.training:
        trained = TrainingStack(
            app,
            f"{name}-Training",
            storage=storage,
            watch=watch,
            training=settings.training,
            settings=settings,
            env=env,
        )
    if settings.studio or settings.notebook:
        StudioStack(app, f"{name}-Studio", storage=storage, trained=trained, settings=settings, env=env)
    if settings.cameras:
        CameraStack(app, f"{name}-Camera", storage=storage, settings=settings, env=env)
    if settings.quota:
        QuotaStack(app, f"{name}-Quota", quota=settings.quota, settings=settings, env=env)
