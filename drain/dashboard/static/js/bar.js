// How high the bar at the top is: heads that stay in sight stand below it.

export function startBar(bar) {
  const measure = () => {
    const height = getComputedStyle(bar).position === "sticky" ? bar.offsetHeight : 0;
    document.documentElement.style.setProperty("--bar-height", `${height}px`);
  };
  new ResizeObserver(measure).observe(bar);
  measure();
}
