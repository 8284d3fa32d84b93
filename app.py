"""`cdk synth -c stage=dev|prod`: the templates of one stage, without an account, credentials or Docker."""

import os

import aws_cdk as cdk

from stacks import build
from stacks.settings import settings_of

app = cdk.App()
settings = settings_of(app.node.try_get_context("stage") or "dev")
# CloudFormation takes up a kept bucket again only under a plain name, so name it plainly where the account is known.
known = {name: os.environ.get(f"CDK_DEFAULT_{name.upper()}") for name in ("account", "region")}
build(app, settings, env=cdk.Environment(**known) if settings.keep_data else None)
app.synth()
