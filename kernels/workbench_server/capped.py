"""What a cell may send to the browser: so many bytes, then a sentence. That it was capped is logged, its words not."""

from typing import Any, Final

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from traitlets import Integer

SENTENCE: Final = "OUTPUT_CAPPED: the rest of this cell's output is not shown; print less, or look at a part."
_FREE: Final = frozenset({"status", "execute_input", "comm_open", "comm_close", "clear_output"})
"""Messages that tell how a cell stands; their size is not up to its code."""


class CappedConnection(ZMQChannelsWebsocketConnection):
    """The way from a kernel to a page."""

    cell_bytes = Integer(5_000_000, config=True, help="Bytes of output that reach the page from one cell.")

    _cell = ""
    _sent = 0

    def _limit_rate(self, channel: Any, msg: Any, msg_list: Any) -> bool:
        """Hold a message back, where its cell has sent enough; Jupyter's own limits come first."""
        if super()._limit_rate(channel, msg, msg_list):
            return True
        return channel == "iopub" and self._is_too_much(msg, msg_list)

    def _is_too_much(self, msg: Any, msg_list: Any) -> bool:
        header = self.get_part("header", msg["header"], msg_list)
        parent = self.get_part("parent_header", msg["parent_header"], msg_list)
        if header["msg_type"] in _FREE:
            return False
        cell = str(parent.get("msg_id", ""))
        if cell != self._cell:
            self._cell, self._sent = cell, 0
        within = self._sent <= self.cell_bytes
        self._sent += sum(len(part) for part in msg_list)
        if within and self._sent > self.cell_bytes:
            self.write_stderr(SENTENCE, parent)  # logs the sentence, too
        return self._sent > self.cell_bytes
