// Keeps what is in the page over a reload and over Back, in this tab alone.

const KEY = "statsig-segment playground";

export function remember(state) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(state));
  } catch {
    sessionStorage.removeItem(KEY); // too large to keep: better none than an old one
  }
}

export function recall() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY));
  } catch {
    return null;
  }
}
