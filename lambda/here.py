"""A page under the camera goes in; what the cloud would make of it comes out, by the code that runs in the cloud.

The objects are those that an upload to `inbox/` would lead to, under the keys that it would have. The claim is
complete: when the image arrives in the inbox, after it, the read function there finds it done. One page, one row.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from formlens.form import Form
from formlens.reader import Reader
from held import Held
from keys import parse_upload
from scan import Outcome, read_scan

ORDER = ("results/", "failed/", "claims/", "inbox/")
"""In which objects are put into the bucket: the claim says that the result is there, the image waits for the claim."""


@dataclass(frozen=True)
class Here:
    """What reads on this camera."""

    thing: str
    """The camera's name."""
    form: str
    """The form that lies under it; `any` where it is to be found among those known."""
    reader: Reader
    forms: Callable[[str], Sequence[Form]]
    """Those that a page of the form of this name may be."""

    def read(self, jpeg: bytes, moment: datetime) -> tuple[Outcome, dict[str, bytes]]:
        """Read one page; the objects that it leads to, in the order in which they are to be put."""
        digest = sha256(jpeg).hexdigest()
        key = f"inbox/{self.form}/{self.thing}/{self.thing}-{digest[:8]}.jpg"
        upload = parse_upload(key)
        assert upload is not None  # noqa: S101
        held = Held(moment)
        held.put(key, jpeg)
        outcome = read_scan(upload, None, store=held, reader=self.reader, forms=self.forms, may_go_on=lambda: True)
        by_prefix = sorted(held.objects.items(), key=lambda item: [item[0].startswith(p) for p in ORDER], reverse=True)
        return outcome, dict(by_prefix)
