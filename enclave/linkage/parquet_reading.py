"""Reading a Parquet file into the same rows of bytes that a CSV file gives, so that one set of checks serves both."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from enclave.errors import DeliveryError
from enclave.linkage.quarantine import FaultLog
from enclave.linkage.rows import RawRows, refuse_columns

MOST_ROWS = 500_000_000
"""A small file can claim any number of rows; more than this is no delivery."""


def read_parquet(data: bytes, columns: Mapping[str, bool], file: str) -> RawRows:
    """Return the rows of a Parquet file that has exactly these columns, in any order.

    `columns` says of each column whether it may be delivered as dates (date32) besides text; null and empty text both
    mean "no value". DeliveryError for other columns, another type, or bytes that are not Parquet.
    """
    try:
        source = parquet.ParquetFile(pa.BufferReader(data))
        _check_schema(source.schema_arrow, columns, file)
        if source.metadata.num_rows > MOST_ROWS:
            raise DeliveryError(
                "DELIVERY_SIZE", f"{file}: more rows than a delivery can have; have it split or corrected"
            )
        table = source.read(columns=list(columns), use_threads=False)
    except (pa.ArrowException, OSError) as error:
        message = f"{file}: this is not a whole Parquet file; have it delivered again"
        raise DeliveryError("DELIVERY_PARQUET", message) from error
    read = pa.table([_as_bytes(table.column(name)) for name in columns], names=list(columns))
    return RawRows(read, np.arange(1, len(read) + 1), 0, FaultLog())


def _check_schema(schema: pa.Schema, columns: Mapping[str, bool], file: str) -> None:
    if sorted(schema.names) != sorted(columns):
        raise refuse_columns(file, list(columns))
    for name, may_be_date in columns.items():
        kind = schema.field(name).type
        if not (_is_text(kind) or (may_be_date and pa.types.is_date32(kind))):
            raise DeliveryError("DELIVERY_COLUMN_TYPE", f"{file}: column '{name}' must hold text; have it delivered so")


def _is_text(kind: pa.DataType) -> bool:
    inner = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(inner) or pa.types.is_large_string(inner))


def _as_bytes(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return text or dates as bytes; null becomes empty."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_date32(column.type):
        column = column.cast(pa.string())
    return pc.fill_null(column.cast(pa.binary()), b"")
