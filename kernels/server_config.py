"""Settings of every notebook server of the workbench, given to it with `--config`.

Nothing comes in or goes out through the browser but what stands on the page: no downloads, no uploads, no terminals, no
extensions, no other kernels, no news from the internet.
"""

import logging
import os
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

from jupyter_client.provisioning.factory import KernelProvisionerFactory

HERE = Path(__file__).resolve().parent
HOME = Path(os.environ["HOME"])

sys.path.append(str(HERE))  # what the server adds stands beside this file; a server in isolated mode has no other way
from workbench_server.first_start import START, furnish  # noqa: E402
from workbench_server.provisioner import ORDERS  # noqa: E402

c = get_config()  # type: ignore[name-defined]  # noqa: F821  given by traitlets

# Where one works: the home of this person in this project.
c.ServerApp.root_dir = str(HOME)
c.ServerApp.default_url = f"/lab/tree/{START}"
c.LabApp.default_url = f"/lab/tree/{START}"
c.ServerApp.open_browser = False
c.ServerApp.allow_root = os.geteuid() == 0  # only where everything runs as one user, on made-up data

# The log stands outside: it says what happened and where, and no word that stood in a name, a cell or an error.
c.Application.logging_config = {
    "formatters": {"console": {"class": "workbench_server.sober.SoberFormatter"}},
    "root": {"level": "WARNING", "handlers": ["console"]},  # for whoever logs beside the server
}
logging.raiseExceptions = False  # an entry that fails would print what was to be put into it

# Nothing but notebooks and their kernel.
c.ServerApp.terminals_enabled = False
c.ServerApp.jpserver_extensions = {"jupyter_lsp": False, "jupyter_server_terminals": False, "notebook_shim": False}
c.ServerApp.allow_external_kernels = False
c.KernelSpecManager.allowed_kernelspecs = {"enclave"}
c.KernelSpecManager.ensure_native_kernel = False
c.MultiKernelManager.default_kernel_name = "enclave"

# In a sandbox kernels are the launcher's: they run beside the server, which sees nothing of them but their messages.
if ORDERS in os.environ:
    name, group = "enclave-launcher", KernelProvisionerFactory.GROUP_NAME
    entry = EntryPoint(name, "workbench_server.provisioner:LauncherProvisioner", group)
    KernelProvisionerFactory.provisioners[name] = entry  # the package stands beside this file, and is not installed
    c.KernelProvisionerFactory.default_provisioner_name = name

# What is the person's stays in the home, wherever the rest of Jupyter's own files is.
c.LabApp.user_settings_dir = str(HOME / ".jupyter" / "lab" / "user-settings")
c.LabApp.workspaces_dir = str(HOME / ".jupyter" / "lab" / "workspaces")
signatures = HOME / ".local" / "share" / "jupyter"
signatures.mkdir(parents=True, exist_ok=True)  # the notary, unlike Jupyter itself, makes no folder
c.NotebookNotary.data_dir = str(signatures)

# What a cell prints is capped by its bytes, not by how fast it prints them.
c.ServerApp.kernel_websocket_connection_class = "workbench_server.capped.CappedConnection"
c.CappedConnection.limit_rate = True
c.CappedConnection.iopub_data_rate_limit = 1_000_000_000
c.CappedConnection.iopub_msg_rate_limit = 100_000

# No download, no upload, no conversion.
c.ServerApp.contents_manager_class = "workbench_server.contents.WorkbenchContents"
c.ServerApp.extra_services = ["workbench_server.closed"]
c.FileContentsManager.delete_to_trash = False  # what is deleted is gone, and not kept in a folder that nobody sees
c.ContentsManager.allow_hidden = False

# JupyterLab: no extensions, no news, no look for updates; its settings stand beside this file.
c.LabApp.extension_manager = "readonly"
c.LabApp.lock_all_plugins = True
c.LabApp.news_url = None
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
c.LabApp.app_settings_dir = str(HERE / "lab")

# The banner on every page: a style sheet of ours, whatever the home holds.
c.LabApp.custom_css = True
custom = HERE / "lab" / "custom"
standing = os.environ.get("ENCLAVE_STANDING", "open")  # as the launcher says; open where no launcher started it
c.ServerApp.tornado_settings = {"static_custom_path": [str(custom / standing), str(custom)]}

# Kernels that nobody uses end after ten hours; one that computes, or that somebody looks at, goes on.
c.MappingKernelManager.cull_idle_timeout = 10 * 60 * 60
c.MappingKernelManager.cull_interval = 5 * 60
c.MappingKernelManager.cull_busy = False
c.MappingKernelManager.cull_connected = False

furnish(HOME, HERE / "start" / START, HERE / "tutorials")
