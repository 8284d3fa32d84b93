"""What the service starts: the function's file, with the folders that it was installed into and no others."""

import runpy
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "lambda")]
runpy.run_path(str(HERE / "lambda" / "camera.py"), run_name="__main__")
