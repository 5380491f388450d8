// What a view asks the API for: from where one is (navigation.js) and which apps there are (apps.js) to
// addresses. Pure.

import { appForApi } from "./apps.js";
import { isAllTime, spanParameters } from "./navigation.js";

function query(nav, further = {}) {
  const parameters = new URLSearchParams({ ...spanParameters(nav), ...further });
  if (appForApi(nav)) parameters.set("app", appForApi(nav));
  return parameters;
}

/** All time has nothing before it. */
const compared = (nav) => (nav.compare && !isAllTime(nav) ? { compare: nav.compare } : {});

/** The overview has the routes of each app, and of no app in particular. */
function routesQuery(nav, apps) {
  return query(nav, apps.isOverview(nav) ? { ...compared(nav), by: "app" } : compared(nav));
}

const routeOf = (nav) => (nav.digest ? { route: nav.digest } : {});

/** The table of routes, as a spreadsheet. */
export const routesCsv = (nav, apps) => `api/routes.csv?${routesQuery(nav, apps)}`;

export const seriesCsv = (nav) => `api/series.csv?${query(nav, routeOf(nav))}`;

/** The events, as a spreadsheet. */
export const eventsCsv = (nav) => `api/events.csv?${query(nav)}`;

export const breakdownOf = (nav) => `api/breakdown?${query(nav, routeOf(nav))}`;

/** What the platform said: of an app, whichever of its routes is shown. */
const eventsOf = (nav) => ({ events: `api/events?${query(nav)}` });

/** The view of dynos, or of one of them. */
export function dynoAddresses(nav) {
  const further = nav.dyno ? eventsOf(nav) : { addons: `api/addons?${query(nav)}` };
  return { dynoTable: `api/dynos?${query(nav)}`, ...further };
}

/** The figures of a traffic view, by name; none as long as it is not known which view it is. */
export function trafficAddresses(nav, apps) {
  if (apps.isUnknown(nav) || apps.isUndecided(nav)) return {};
  if (apps.isOverview(nav)) {
    return { overview: `api/overview?${query(nav, compared(nav))}`, ...eventsOf(nav), routes: `api/routes?${routesQuery(nav, apps)}` };
  }
  const series = isAllTime(nav) ? {} : { series: `api/series?${query(nav, routeOf(nav))}` };
  if (nav.digest) {
    return {
      route: `api/routes/${nav.digest}?${query(nav, compared(nav))}`,
      samples: `api/samples?${query(nav, routeOf(nav))}`,
      ...eventsOf(nav),
      ...series,
    };
  }
  return {
    routes: `api/routes?${routesQuery(nav, apps)}`,
    dynos: `api/dynos?${query(nav)}`,
    hosts: `api/hosts?${query(nav)}`,
    ...eventsOf(nav),
    ...series,
  };
}
