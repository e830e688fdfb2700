// Search, filters, theme and anchors of the report. The page is whole without it.
const form = document.getElementById('filter');
const rows = [...document.querySelectorAll('details.row')];
const count = document.getElementById('count');
const nothing = document.getElementById('nothing');
const sections = [...document.querySelectorAll('section.suite, section.of')];

/** What a search looks through: the row's line, the requirement, the reason; not the octets on the wire. */
const texts = new Map();
const textOf = (row) => {
  let text = texts.get(row);
  if (text === undefined) {
    const parts = [
      row.querySelector('summary'),
      ...row.querySelectorAll('[data-find], .pair .what, .pairs tbody th, .differs'),
    ];
    text = parts
      .map((part) => part.textContent)
      .join(' ')
      .toLowerCase();
    texts.set(row, text);
  }
  return text;
};

const chosen = () => {
  const { q, s, t } = form.elements;
  return {
    words: q.value.toLowerCase().split(/\s+/).filter(Boolean),
    suite: s.value,
    target: t?.value ?? '',
    verdicts: [...form.querySelectorAll('input[name=v]:checked')].map(({ value }) => value),
  };
};

const apply = () => {
  const { words, suite, target, verdicts } = chosen();
  let shown = 0;
  for (const row of rows) {
    const has = row.dataset.verdicts.split(' ');
    const fits =
      (verdicts.length === 0 || verdicts.some((verdict) => has.includes(verdict))) &&
      (suite === '' || row.dataset.suite === suite) &&
      (target === '' || row.dataset.target === target) &&
      words.every((word) => textOf(row).includes(word));
    row.hidden = !fits;
    if (fits) shown += 1;
  }
  for (const section of sections) {
    section.hidden =
      section.querySelector('details.row') !== null &&
      section.querySelector('details.row:not([hidden])') === null;
  }
  count.textContent = `${shown} of ${rows.length} scenarios`;
  nothing.hidden = shown > 0 || rows.length === 0;
};

/** The fragment holds the filter as `#q=…&v=…`, or the id of what is to be shown. */
const remember = () => {
  const { suite, target, verdicts } = chosen();
  const state = new URLSearchParams();
  if (form.elements.q.value !== '') state.set('q', form.elements.q.value);
  if (verdicts.length > 0) state.set('v', verdicts.join(','));
  if (suite !== '') state.set('s', suite);
  if (target !== '') state.set('t', target);
  history.replaceState(null, '', `#${state}`);
};

const restore = () => {
  const state = new URLSearchParams(location.hash.slice(1));
  form.elements.q.value = state.get('q') ?? '';
  form.elements.s.value = state.get('s') ?? '';
  if (form.elements.t) form.elements.t.value = state.get('t') ?? '';
  const verdicts = (state.get('v') ?? '').split(',');
  for (const box of form.querySelectorAll('input[name=v]')) box.checked = verdicts.includes(box.value);
};

const reveal = () => {
  const place = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (place === null) return;
  if (place.hidden) {
    if (place.matches('.row')) form.reset();
    place.hidden = false;
    apply();
  }
  for (let node = place; node !== null; node = node.parentElement) {
    if (node instanceof HTMLDetailsElement) node.open = true;
  }
  place.scrollIntoView();
  if (place.matches('details')) place.querySelector('summary').focus({ preventScroll: true });
};

const follow = () => {
  if (location.hash.includes('=')) restore();
  apply();
  if (!location.hash.includes('=')) reveal();
};

form.hidden = false;
form.addEventListener('submit', (event) => event.preventDefault());
form.addEventListener('input', () => {
  apply();
  remember();
});
document.getElementById('clear').addEventListener('click', () => {
  form.reset();
  apply();
  remember();
  form.elements.q.focus();
});
document.getElementById('open').addEventListener('click', (event) => {
  const open = event.target.getAttribute('aria-pressed') !== 'true';
  for (const row of rows) if (!row.hidden) row.open = open;
  event.target.setAttribute('aria-pressed', String(open));
  event.target.textContent = open ? 'Close shown' : 'Open shown';
});
document.addEventListener('keydown', (event) => {
  const typing = event.target instanceof Element && event.target.closest('input, select, textarea') !== null;
  if (event.key !== '/' || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  form.elements.q.focus();
});
addEventListener('hashchange', follow);

const theme = document.getElementById('theme');
const isDark = () => {
  const { theme: set } = document.documentElement.dataset;
  return set === undefined ? matchMedia('(prefers-color-scheme: dark)').matches : set === 'dark';
};
const showTheme = () => theme.setAttribute('aria-pressed', String(isDark()));
theme.hidden = false;
theme.addEventListener('click', () => {
  document.documentElement.dataset.theme = isDark() ? 'light' : 'dark';
  showTheme();
});
showTheme();

// The mistakes that the suite would catch have a search of their own.
const catchSearch = document.getElementById('catch-search');
if (catchSearch !== null) {
  const mistakes = document.getElementById('mistakes');
  const each = [...mistakes.querySelectorAll('tbody tr')];
  catchSearch.hidden = false;
  catchSearch.querySelector('input').addEventListener('input', ({ target }) => {
    const words = target.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of each) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    }
    const fit = each.filter((row) => !row.hidden).length;
    mistakes.open = words.length > 0 && fit > 0;
    document.getElementById('catch-count').textContent =
      words.length > 0 ? `${fit} of ${each.length} mistakes` : '';
  });
}

// Commands can be copied where the browser allows it for this page.
if (navigator.clipboard !== undefined) {
  for (const command of document.querySelectorAll('.repeat code')) {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = 'Copy';
    button.addEventListener('click', () => {
      navigator.clipboard.writeText(command.textContent).then(
        () => (button.textContent = 'Copied'),
        () => (button.textContent = 'Not allowed'),
      );
    });
    command.after(button);
  }
}

follow();
