"""New scans in `inbox/` go in, results and spreadsheets come out; labelled folders go in, forms come out.

Three queues, and a function behind each. All in one stack, because they share one layer: its version is another one at
each change of a library, and CloudFormation lets no other stack's reference to it change.
"""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.libraries import Libraries
from stacks.settings import Settings, Worker
from stacks.storage import StorageStack
from stacks.worklist import Worklist


class ReadingStack(cdk.Stack):
    """Reads every new scan into results, keeps the spreadsheets up to date with them, and learns forms."""

    def __init__(self, scope: Construct, id: str, *, storage: StorageStack, settings: Settings, **kwargs: Any) -> None:
        super().__init__(scope, id, **kwargs)
        self._storage, self._settings = storage, settings
        self._libraries = Libraries(self, storage=storage, settings=settings)
        read = self._function(
            "Read",
            settings.read,
            "lambda/read.py",
            "lambda/scan.py",
            "lambda/keys.py",
            "lambda/learned.py",
            "lambda/current.py",
            description="Reads scans into results",
        )
        storage.grant(read, "s3:GetObjectVersion", prefix="inbox")  # the version that the event names, and no other
        storage.grant(read, "s3:GetObject", "s3:PutObject", prefix="claims")
        storage.grant(read, "s3:PutObject", prefix="results")
        storage.grant(read, "s3:PutObject", prefix="failed")
        storage.grant(read, "s3:GetObject", prefix="forms")
        storage.grant(read, "s3:GetObject", prefix="models")
        storage.grant_list(read, "results", "forms", "models")
        self.scans = Worklist(
            self, "Scans", bucket=storage.bucket, keys="inbox/*", worker=settings.read, settings=settings
        )
        self.scans.feed(read)

        sheet = self._function(
            "Sheet",
            settings.sheet,
            "lambda/sheet.py",
            "lambda/books.py",
            description="Keeps the spreadsheets up to date with the results",
            without=("formlens/*.onnx", "formlens/language.bin"),
        )
        storage.grant(sheet, "s3:GetObject", prefix="results")
        storage.grant(sheet, "s3:GetObject", "s3:PutObject", prefix="sheets")
        storage.grant_list(sheet, "results", "sheets")
        self.results = Worklist(
            self, "Results", bucket=storage.bucket, keys="results/*", worker=settings.sheet, settings=settings
        )
        self.results.feed(sheet)

        learn = self._function(
            "Learn",
            settings.learn,
            "lambda/learn.py",
            "lambda/lesson.py",
            "lambda/keys.py",
            "lambda/current.py",
            description="Learns forms from labelled folders",
        )
        storage.grant(learn, "s3:GetObject", prefix="training")
        storage.grant(learn, "s3:GetObject", "s3:PutObject", prefix="forms")
        storage.grant(learn, "s3:PutObject", prefix="failed")
        storage.grant(learn, "s3:GetObject", prefix="models")
        storage.grant_list(learn, "training", "forms", "models")
        # the manifest alone, which goes up last: a folder is learned when all of it is there
        self.folders = Worklist(
            self,
            "Folders",
            bucket=storage.bucket,
            keys="training/*/manifest.json",
            worker=settings.learn,
            settings=settings,
        )
        self.folders.feed(learn)
        self.functions = (read, sheet, learn)

    def _function(
        self, id: str, worker: Worker, *files: str, description: str, without: tuple[str, ...] = ()
    ) -> lambda_.Function:
        return self._libraries.function(
            id,
            *files,
            description=description,
            memory_mb=worker.memory_mb,
            timeout_s=worker.timeout_s,
            without=without,
        )
