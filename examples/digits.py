"""Write scikit-learn's 1797 handwritten digits as pictures, one folder a digit.

python examples/digits.py FOLDER
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits


def main(folder: str) -> None:
    digits = load_digits()
    for number, (pixels, digit) in enumerate(zip(digits.images, digits.target, strict=True)):
        path = Path(folder) / str(digit) / f"{number:04}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((pixels * (255 / 16)).astype(np.uint8)).save(path)  # 0 to 16 become bytes
    print(f"{len(digits.images):,} pictures written into {folder}.")


if __name__ == "__main__":
    main(sys.argv[1])
