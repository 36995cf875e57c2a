'use strict';
(() => {
  // Values under the pointer, or by the arrow keys.
  for (const svg of document.querySelectorAll('svg[data-plot]')) {
    const plot = JSON.parse(svg.dataset.plot), [left, right, top, bottom, min, max] = plot.area;
    const out = svg.parentNode.querySelector('.read'), rest = out.textContent;
    const epochs = [...new Set(plot.curves.flatMap(c => c.x))].sort((a, b) => a - b);
    const line = document.createElementNS(svg.namespaceURI, 'path');
    line.setAttribute('class', 'cursor');
    let at = epochs.length - 1;
    const show = i => {
      at = Math.min(Math.max(i, 0), epochs.length - 1);
      const epoch = epochs[at], x = left + (epoch - min) / (max - min) * (right - left);
      line.setAttribute('d', `M${x} ${top}L${x} ${bottom}`);
      svg.append(line);
      const values = plot.curves.filter(c => c.x.includes(epoch))
        .map(c => (plot.curves.length > 1 ? c.name + ' ' : '') + c.y[c.x.indexOf(epoch)] + plot.unit);
      out.textContent = `epoch ${epoch}: ${values.join(', ')}`;
    };
    const hide = () => { line.remove(); out.textContent = rest; };
    svg.addEventListener('pointermove', e => {
      const box = svg.getBoundingClientRect(), x = (e.clientX - box.left) / box.width * svg.viewBox.baseVal.width;
      const epoch = min + (x - left) / (right - left) * (max - min);
      show(epochs.reduce((best, v, i) => Math.abs(v - epoch) < Math.abs(epochs[best] - epoch) ? i : best, 0));
    });
    svg.addEventListener('pointerleave', hide);
    svg.addEventListener('blur', hide);
    svg.addEventListener('keydown', e => {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[e.key];
      if (by) { show(at + by); e.preventDefault(); }
    });
  }

  // A page that is looked at stays where it is when it reloads: place, and what is open.
  const root = document.documentElement, seconds = Number(root.dataset.reload);
  const details = [...document.querySelectorAll('details')];
  try {
    const kept = JSON.parse(sessionStorage.getItem('sltt' + location.pathname) ?? 'null');
    if (kept) {
      details.forEach(d => { d.open = kept.open.includes(d.id); });
      scrollTo(0, kept.y);
    }
    sessionStorage.removeItem('sltt' + location.pathname);
  } catch { /* A browser that keeps nothing. */ }
  if (!seconds) { return; }
  const time = document.querySelector('.state time');
  const age = () => (Date.now() - Date.parse(time.dateTime)) / 1000;
  const tell = () => {
    if (time && age() > Number(time.dataset.patience)) {
      time.parentNode.insertAdjacentHTML('beforeend', ' <span class="late">No news for long: did the run die? sltt runs says it.</span>');
    }
  };
  tell();
  setInterval(() => {
    if (document.hidden || document.querySelector('svg:focus') || String(getSelection())) { return; }
    try {
      const open = details.filter(d => d.open).map(d => d.id);
      sessionStorage.setItem('sltt' + location.pathname, JSON.stringify({ y: scrollY, open }));
    } catch { /* As above. */ }
    location.reload();
  }, seconds * 1000);
})();
