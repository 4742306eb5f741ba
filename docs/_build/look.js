// What is wrong with a page that is open, and where it leads. Run in the page.
() => {
  const faults = [];
  const article = document.querySelector("article") || document.body;
  const shown = (element) => {
    const box = element.getBoundingClientRect();
    return box.width > 0 && box.height > 0 && getComputedStyle(element).visibility !== "hidden";
  };
  const name = (element) => {
    const text = (element.textContent || "").trim().replace(/\s+/g, " ").slice(0, 50);
    return `<${element.tagName.toLowerCase()}> ${text}`;
  };

  // The page scrolls downwards only; wide things scroll in themselves.
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width) {
    faults.push(`the page is ${document.documentElement.scrollWidth} pixels wide in a window of ${width}`);
  }
  const scrolls = (element) => {
    for (let outer = element.parentElement; outer; outer = outer.parentElement) {
      if (["auto", "scroll", "hidden"].includes(getComputedStyle(outer).overflowX)) return true;
    }
    return false;
  };
  for (const element of article.querySelectorAll("*")) {
    const box = element.getBoundingClientRect();
    if (shown(element) && box.right > width + 1 && !scrolls(element)) {
      faults.push(`beyond the right edge by ${Math.round(box.right - width)}: ${name(element)}`);
      break;
    }
  }

  // Formulas: none is left as text, none is empty, none carries a command or an error.
  for (const math of article.querySelectorAll("math")) {
    if (shown(math.parentElement) && !shown(math)) faults.push(`a formula without size: ${math.textContent}`);
    if (/\\[a-zA-Z]/.test(math.textContent) || math.querySelector("merror")) {
      faults.push(`a formula that was not understood: ${math.textContent}`);
    }
  }
  if (width >= 1000) {
    for (const math of article.querySelectorAll(".formula:not(.long)")) {
      const more = math.scrollWidth - math.clientWidth;
      if (more > 0) faults.push(`a formula is too wide by ${more}: ${name(math)}`);
    }
  }
  for (const left of article.querySelectorAll(".arithmatex, .MathJax, .katex-error")) {
    faults.push(`a formula that was not rendered: ${name(left)}`);
  }
  const walker = document.createTreeWalker(article, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (node.parentElement.closest("code, pre, script, style, math")) continue;
    const raw = node.data.match(/\$[^$\n]*[\\^_{}][^$\n]*\$|\$\$|\\(?:frac|sum|begin|mathbb|lVert|langle|le|ge)\b/);
    if (raw) faults.push(`raw formula: ${raw[0]}`);
  }

  // Pictures have loaded and say what they show.
  for (const image of article.querySelectorAll("img")) {
    if (!image.complete || !image.naturalWidth) faults.push(`a picture did not load: ${image.src}`);
    if (!image.alt) faults.push(`a picture without a text: ${image.src}`);
  }

  // Headings: one of the first level, and none skips a level.
  const levels = [...article.querySelectorAll("h1, h2, h3, h4, h5, h6")].map((heading) => Number(heading.tagName[1]));
  if (levels.filter((level) => level === 1).length !== 1) faults.push("the page has not exactly one title");
  levels.forEach((level, i) => {
    if (i && level > levels[i - 1] + 1) faults.push(`a heading of level ${level} follows one of level ${levels[i - 1]}`);
  });

  // Contrast of texts against the nearest background that is opaque, by WCAG 2: 4.5, or 3 where the text is large.
  const channels = (text) => (text.match(/[\d.]+/g) || []).map(Number);
  const luminance = (color) => {
    const [r, g, b] = color.slice(0, 3).map((c) => (c / 255 <= 0.04045 ? c / 3294.6 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const over = (top, below) => {
    const alpha = top.length > 3 ? top[3] : 1;
    return [0, 1, 2].map((i) => alpha * top[i] + (1 - alpha) * below[i]);
  };
  const background = (element) => {
    const layers = [];
    for (let outer = element; outer; outer = outer.parentElement) {
      const color = channels(getComputedStyle(outer).backgroundColor);
      if (color.length && color[3] !== 0) layers.push(color);
    }
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
  };
  const pale = new Set();
  for (const element of article.querySelectorAll("p, li, td, th, h1, h2, h3, h4, code, code span, a:not(.headerlink)")) {
    if (!shown(element) || !(element.textContent || "").trim()) continue;
    const style = getComputedStyle(element);
    const behind = background(element);
    const text = over(channels(style.color), behind);
    const [high, low] = [luminance(text), luminance(behind)].sort((a, b) => b - a);
    const ratio = (high + 0.05) / (low + 0.05);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.5 && style.fontWeight >= 700);
    if (ratio < (large ? 3 : 4.5) - 0.05) pale.add(`contrast ${ratio.toFixed(1)}: ${element.tagName} ${element.className}`);
  }
  faults.push(...[...pale].slice(0, 5));

  // What scrolls sideways can be reached by the Tab key, which the browser sees to where nothing in it can be.
  for (const element of article.querySelectorAll(".formula")) {
    if (element.scrollWidth > element.clientWidth && element.tabIndex < 0) faults.push(`no keyboard: ${name(element)}`);
  }

  return {
    faults,
    links: [...document.querySelectorAll("a[href]")].map((link) => link.href),
    anchors: [...document.querySelectorAll("[id], a[name]")].map((place) => place.id || place.name),
  };
}
