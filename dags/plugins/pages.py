"""The warehouse's own pages inside Airflow: checks, models, scorecards; read-only, for whoever is logged in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.plugins_manager import AirflowPlugin
from airflow.sdk import BaseOperatorLink
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from warehouse.settings import get_settings

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey

PREFIX = "/warehouse"
PAGES = {
    "data_docs": "Data Docs",
    "dbt_docs": "dbt docs",
    "reports": "Scorecards 记分卡",
}
"""Folder below `<home>/out` → name of its link. Regulator packages are not among them: they leave by file only."""

app = FastAPI(title="Pages of the warehouse", docs_url=None, redoc_url=None, openapi_url=None)


@app.middleware("http")
async def only_logged_in(request: Request, call_next) -> Response:
    """Let nobody in without Airflow's session; send people to the login page."""
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.core_api.security import get_user

    try:
        await get_user(request, None, None)
    except HTTPException:
        return RedirectResponse(get_auth_manager().get_url_login(next_url=str(request.url)))
    return await call_next(request)


class Pages(StaticFiles):
    """A folder that may be made later; its front page may lie one folder deeper (as Great Expectations does it)."""

    def __init__(self, folder: str) -> None:
        super().__init__(directory=get_settings().out / folder, html=True, check_dir=False)

    async def check_config(self) -> None:
        """Not asked at the first request either whether the folder is there."""

    async def get_response(self, path: str, scope) -> Response:
        """Serve the file, or say what makes it."""
        try:
            return await super().get_response(path, scope)
        except HTTPException as problem:
            if path == "." and problem.status_code == 404:
                return HTMLResponse("<p>Not made yet: it comes with the first run of the DAG that writes it.</p>", 404)
            raise


for folder in PAGES:
    app.mount(f"/{folder}", Pages(folder), name=folder)


def link(folder: str) -> type[BaseOperatorLink]:
    """Return the class of a button that every task shows."""

    class PageLink(BaseOperatorLink):
        name = PAGES[folder]

        def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
            return f"{PREFIX}/{folder}/"

    return PageLink


class WarehousePages(AirflowPlugin):
    """Mounts the pages and leads to them from the menu, every DAG run's doc and every task."""

    name = "warehouse_pages"
    fastapi_apps = [{"app": app, "url_prefix": PREFIX, "name": "Pages of the warehouse"}]  # noqa: RUF012
    external_views = [  # noqa: RUF012
        {
            "name": name,
            "href": f"{PREFIX}/{folder}/",
            "destination": "nav",
            "category": "browse",
            "url_route": f"warehouse-{folder.replace('_', '-')}",
        }
        for folder, name in PAGES.items()
    ]
    global_operator_extra_links = [link(folder)() for folder in PAGES]  # noqa: RUF012
