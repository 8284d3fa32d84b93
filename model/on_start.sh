#!/bin/bash
# Runs as root whenever the notebook instance starts, for five minutes at most: brings the code and the training
# notebook, makes their environment in the background, and sees to it that an idle instance stops.
# CloudFormation fills in what stands in braces (stacks/notebook.py).
set -euo pipefail
home=/home/ec2-user/SageMaker

# The code is that of the stack, whatever was changed in it; notebooks of people beside it stay as they are.
mkdir -p $home/formlens
aws s3 cp --only-show-errors "${Code}" /tmp/formlens.zip
rm -rf $home/formlens/code
python3 -m zipfile -e /tmp/formlens.zip $home/formlens/code
[ -e $home/train.ipynb ] || [ ! -e $home/formlens/code/model/train.ipynb ] || cp $home/formlens/code/model/train.ipynb $home/train.ipynb
chown -R ec2-user:ec2-user $home/formlens $home/train.ipynb 2>/dev/null || true

cat > /tmp/formlens-environment.sh <<'END'
set -euo pipefail
cd /home/ec2-user/SageMaker/formlens
[ -e environment/bin/python ] || python3 -m venv environment
environment/bin/pip install -q -e code -r code/model/requirements-train.txt ipykernel
environment/bin/python -m ipykernel install --user --name formlens --display-name FormLens
END
systemd-run --unit=formlens-environment --uid=ec2-user --setenv=HOME=/home/ec2-user bash /tmp/formlens-environment.sh
systemd-run --unit=formlens-idle --on-active=5min --on-unit-active=5min \
    python3 $home/formlens/code/model/idle.py --minutes ${IdleMinutes}
