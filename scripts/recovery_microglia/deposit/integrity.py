"""Whether a file is whole, by its own checksums and those that are known."""

from pathlib import Path

from recovery_microglia.core.errors import InputError
from recovery_microglia.core.files import sha256
from recovery_microglia.deposit.downloads import Download
from recovery_microglia.deposit.http import BLOCK
from recovery_microglia.deposit.manifest import read_fetched


def sha256_and_size(path: Path) -> tuple[str, int]:
    """Return checksum and size of a file."""
    return sha256(path), path.stat().st_size


def integrity(path: Path, name: str = "") -> str:
    """Return what is wrong with a file by its own checksums (gzip, HDF5); empty if nothing, or if it has none.

    Sizes and TLS catch breaks, not what was stored wrong; a gzip file ends with the checksum of its content.

    Parameters
    ----------
    name
        What the file will be called, where that is not yet its name (``x.mtx.gz.part``): the ending says what it must be.
    """
    ending = Path(name or path.name).suffix.lower()
    if path.stat().st_size == 0:
        return "it is empty"
    with path.open("rb") as stream:
        start = stream.read(512)
    if start.lstrip().lower().startswith((b"<!doctype html", b"<html", b"<?xml")):
        return "it is a web page, not the file"
    if ending in (".gz", ".tgz") and not start.startswith(b"\x1f\x8b"):
        return "it is no gzip file"
    if start.startswith(b"\x1f\x8b"):
        return _gzip_integrity(path)
    if ending in (".h5", ".hdf5", ".h5ad"):
        return _hdf5_integrity(path)
    return ""


def _gzip_integrity(path: Path) -> str:
    import zlib

    from isal import igzip, igzip_lib

    try:
        with igzip.open(path) as stream:
            while stream.read(8 * BLOCK):
                pass
    except (EOFError, zlib.error, igzip.BadGzipFile, igzip_lib.IsalError) as error:
        return f"truncated or damaged gzip file ({error})"
    return ""


def _hdf5_integrity(path: Path) -> str:
    import h5py

    try:
        with h5py.File(path, "r"):
            return ""
    except OSError as error:
        return f"not a whole HDF5 file ({str(error).splitlines()[0]})"


def _expected(file: Download, record: Path) -> tuple[str, str]:
    """Return the SHA-256 that a file must have, and where that is known from; empty where it is not known."""
    if file.sha256:
        return file.sha256, "dataset.yaml"
    if record.exists():
        return next((digest for name, _, digest in read_fetched(record) if name == file.name), ""), str(record)
    return "", ""


def check_whole(path: Path, file: Download, record: Path) -> tuple[str, int, str]:
    """Return name, size and SHA-256 of a file that is whole.

    Raises
    ------
    InputError
        Its size or checksum is not the one stated, or it is damaged; says what to do.
    """
    digest, size = sha256_and_size(path)
    if file.size and size != file.size:
        raise InputError(f"{path}: {size} bytes, but dataset.yaml says {file.size}; {_otherwise(record)}")
    wanted, source = _expected(file, record)
    if wanted and digest != wanted:
        raise InputError(
            f"{path}: its SHA-256 is {digest[:16]}…, but {source} says {wanted[:16]}…; {_otherwise(record)}"
        )
    if not wanted and (wrong := integrity(path, file.name)):
        raise InputError(f"{path}: {wrong}; {_otherwise(record)}")
    return file.name, size, digest


def _otherwise(record: Path) -> str:
    recorded = f" and delete {record}" if record.exists() else ""
    return (
        f"fetch it again (delete the file, if it is there); if the deposit was changed, correct dataset.yaml{recorded}"
    )
