// What pages that search have in common: shards of data, words, tables and files made of them.
// Data come as classic scripts named by their content (module shards): a page opened by double-click can read nothing
// else. What comes from data is only ever set as text.
(function () {
  "use strict";
  var own = document.currentScript, root = own.dataset.root;
  var given = JSON.parse(document.getElementById("index-json").textContent);
  var held = {}, asked = {}, names, PAGE = 50;
  var DASH = "\u2013", THIN = "\u202f", NBSP = "\u00a0";
  var kit = window.QFQ = function (name, data) { held[name] = data; };

  // --- Shards -------------------------------------------------------------------------------------------------
  function load(kind, name) {
    var key = kind + "/" + name;
    asked[key] = asked[key] || new Promise(function (done, failed) {
      var script = document.createElement("script");
      script.src = root + "s/" + key + ".js";
      script.onload = function () { script.remove(); done(held[key]); };
      script.onerror = function () { script.remove(); delete asked[key]; failed(new Error(key)); };
      document.head.append(script);
    });
    return asked[key];
  }

  function all(kind, list) { return Promise.all(list.map(function (name) { return load(kind, name); })); }

  // --- Words (as in words.py) -----------------------------------------------------------------------------------
  function fold(text) {
    return text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase()
      .replace(/œ/g, "oe").replace(/æ/g, "ae").replace(/ß/g, "ss");
  }

  function words(text) {
    // A SIREN written in threes is one word; a SIRET is looked up by its SIREN.
    text = text.replace(/(\d{3})[ .\u00a0\u202f](\d{3})[ .\u00a0\u202f](\d{3})(?:[ .\u00a0\u202f]?\d{5})?(?!\d)/g, "$1$2$3")
      .replace(/\b(\d{9})\d{5}\b/g, "$1");
    return spelt(cut(text)).filter(function (word) { return word && !given.stop.includes(word); });
  }

  function cut(text) { return fold(text).split(/[^\p{L}\p{N}]+/u); }

  // Short words as what they stand for: « restos » is written « restaurants » in registers.
  function spelt(list) {
    return [].concat.apply([], list.map(function (word) { return Object.hasOwn(given.spelt, word) ? given.spelt[word].split(" ") : word; }));
  }

  // What a text is looked through: as it is, and with its short words spelt out.
  function sought(text) { return fold(text) + " " + spelt(cut(text)).join(" "); }

  // --- Writing (as in formats.py) -------------------------------------------------------------------------------
  function count(value) { return String(value).replace(/\B(?=(\d{3})+(?!\d))/g, THIN); }

  function plural(n, one, many) { return count(n) + NBSP + (n < 2 ? one : many || one + "s"); }

  function money(value, currency) {
    var cents = Math.round(Math.abs(value) * 100), rest = cents % 100;
    var text = count(Math.floor(cents / 100)) + (rest ? "," + (rest < 10 ? "0" : "") + rest : "");
    return (value < 0 ? "\u2212" : "") + text + NBSP + (names.c[currency || "EUR"] || currency);
  }

  function span(first, last) { return first === null || last === null ? DASH : first === last ? String(first) : first + DASH + last; }

  function said(list, code) { return code && list[code] ? list[code] : null; }

  function make(tag, text, options) {
    var element = document.createElement(tag);
    if (text !== undefined && text !== null) element.textContent = text;
    return Object.assign(element, options);
  }

  // --- Tables -------------------------------------------------------------------------------------------------
  // A column: t its title, c its name in the CSV, v its value, w the value as people read it (else itself), h where it
  // leads, n whether it is a number, b the mark of an absence.
  function filled(column, row) {
    var value = column.v(row), absent = value === null || value === undefined || value === "";
    var cell = document.createElement(column.head ? "th" : "td");
    if (column.head) cell.scope = "row";
    var text = absent ? column.b || DASH : column.w ? column.w(row) : String(value), place = cell;
    cell.className = absent ? (text.length > 12 ? "mark long" : "mark") : column.n ? "n" : "";
    var href = column.h && column.h(row);
    if (href) {
      place = make("a", null, { href: href });
      cell.append(place);
    }
    if (absent || column.n) place.append(text);
    else place.append(make(column.code ? "code" : "bdi", text));
    return cell;
  }

  function table(id, caption, columns, rows, sort, sorted) {
    var scroll = make("div", null, { className: "scroll", tabIndex: 0 }), made = make("table", null, { id: id });
    scroll.setAttribute("role", "region");
    scroll.setAttribute("aria-label", caption);
    made.createCaption().append(make("span", caption));
    var top = made.createTHead().insertRow(), body = made.createTBody();
    columns.forEach(function (column, place) {
      var head = make("th", sort ? null : column.t, { scope: "col", className: column.n ? "n" : "" });
      if (sort) {
        var button = make("button", column.t, { type: "button" });
        button.addEventListener("click", function () { sort(place, id); });
        head.append(button);
        if (sorted && Math.abs(sorted) === place + 1) head.setAttribute("aria-sort", sorted > 0 ? "ascending" : "descending");
      }
      top.append(head);
    });
    rows.forEach(function (row) {
      var line = body.insertRow();
      columns.forEach(function (column) { line.append(filled(column, row)); });
    });
    scroll.append(made);
    return scroll;
  }

  function csv(columns, rows) {
    function cell(value) {
      if (value === null || value === undefined) return "";
      var text = String(value);
      if (typeof value === "string" && /^[=+\-@\t\r]/.test(text)) text = "'" + text;
      return /[",\r\n]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
    }
    var lines = [columns.map(function (column) { return column.c; })];
    rows.forEach(function (row) { lines.push(columns.map(function (column) { return cell(column.v(row)); })); });
    return lines.map(function (line) { return line.join(",") + "\r\n"; }).join("");
  }

  function save(name, text) {
    var url = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
    var link = make("a", null, { href: url, download: name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(function () { URL.revokeObjectURL(url); }, 10000);
  }

  // Buttons below a table: the pages of a list, and the file of all its rows.
  function tools(number, last, go, total, download) {
    var place = make("p", null, { className: "tools" });
    function button(text, action, key) {
      var made = make("button", text, { type: "button" });
      if (key) made.dataset.go = key;
      made.addEventListener("click", action);
      place.append(made, " ");
    }
    if (number > 1) button("Page précédente", function () { go(number - 1); }, "avant");
    if (last > 1) place.append(make("span", "page " + count(number) + " sur " + count(last)), " ");
    if (number < last) button("Page suivante", function () { go(number + 1); }, "apres");
    if (total) button("Télécharger " + (total < 2 ? "cette ligne" : "ces " + plural(total, "ligne")) + " (CSV)", download, "csv");
    return place;
  }

  // --- State in the address -----------------------------------------------------------------------------------
  function state() { return new URLSearchParams(location.hash.slice(1)); }

  function keep(values) {
    var told = new URLSearchParams();
    Object.keys(values).forEach(function (name) { if (values[name]) told.set(name, values[name]); });
    history.replaceState(null, "", "#" + told);
  }

  function late(status) {
    return function (error) {
      status.textContent = "Les données n’ont pas pu être lues : elles ont peut-être été remplacées depuis l’ouverture de cette page. Rechargez-la.";
      console.warn(error.message);
    };
  }

  function leads(id) {
    var cut = id.indexOf(":");
    return root + "beneficiaire.html#" + id.slice(0, cut) + "=" + encodeURIComponent(id.slice(cut + 1));
  }

  var LINE = { name: 0, id: 1, siren: 2, commune: 3, place: 4, first: 5, last: 6, years: 7, funders: 8, amount: 9, currency: 10, stage: 11, others: 12, page: 13 };

  function at(name) { return function (row) { return row[LINE[name]]; }; }

  function stageWords(row) {
    return (said(names.h, row[LINE.stage]) || "non précisée") + (row[LINE.others] ? " ; d’autres à part" : "");
  }

  // --- Awards -------------------------------------------------------------------------------------------------
  // Inside a shard: v the lists of shared values, a row its places in them, from `start` on (year, amount, then these).
  var SHARED = ["funder", "service", "title", "theme", "purpose", "currency", "stage", "source", "url"];

  function award(shard, row, start, who) {
    var made = { year: row[start], amount: row[start + 1], who: who };
    SHARED.forEach(function (name, place) {
      var where = row[start + 2 + place];
      made[name] = where < 0 ? null : shard.v[place][where];
    });
    return made;
  }

  function value(name) { return function (each) { return each[name]; }; }

  function entity(list, name) {
    return {
      w: function (each) { return (list()[each[name]] || [each[name]])[0]; },
      h: function (each) { var known = list()[each[name]]; return known && known[1] ? root + known[1] : null; }
    };
  }

  var funderWords = entity(function () { return names.f; }, "funder"), serviceWords = entity(function () { return names.s; }, "service");
  var awardColumns = [
    { t: "Exercice", c: "fiscal_year", v: value("year") },
    { t: "Financeur", c: "funder_name", v: funderWords.w, h: funderWords.h },
    { t: "Bénéficiaire", c: "beneficiary_name", v: function (each) { return each.who[1]; }, head: true, h: function (each) {
      return each.who[0] === null ? null : leads(each.who[0]);
    } },
    { t: "Montant", c: "amount", v: value("amount"), n: true, b: "non renseigné", w: function (each) { return money(each.amount, each.currency || "EUR"); } },
    { t: "Objet", c: "title", v: value("title"), b: "non renseigné" },
    { t: "Thème", c: "theme", v: function (each) { return said(names.t, each.theme); }, b: "non précisé" },
    { t: "Nature", c: "purpose", v: function (each) { return said(names.p, each.purpose); }, b: "non précisée" },
    { t: "SIREN", c: "beneficiary_siren", v: function (each) { return each.who[2]; }, code: true, b: "non renseigné" },
    { t: "Commune du siège", c: "commune_name", v: function (each) { return each.who[3]; }, b: "non renseignée" },
    { t: "Monnaie", c: "currency", v: value("currency") },
    { t: "Nature du montant", c: "stage", v: function (each) { return said(names.h, each.stage); }, b: "non précisée" },
    { t: "Service", c: "service_name", v: serviceWords.w, h: serviceWords.h },
    { t: "Source", c: "source_name", v: value("source"), b: "non renseignée", h: function (each) {
      return /^https?:\/\//.test(each.url || "") ? each.url : null;
    } }
  ];

  function arranged(rows, columns, sorted) {
    var column = columns[Math.abs(sorted) - 1], way = sorted > 0 ? 1 : -1, known = new Map();
    function key(row) {
      var own = column.v(row);
      if (typeof own !== "string") return own;
      if (!known.has(own)) known.set(own, fold(own));
      return known.get(own);
    }
    return rows.map(function (row, place) { return { row: row, key: key(row), place: place }; }).sort(function (a, b) {
      var blank = (a.key === null) - (b.key === null);
      return blank || way * (a.key < b.key ? -1 : a.key > b.key ? 1 : 0) || a.place - b.place;
    }).map(function (item) { return item.row; });
  }

  function turned(columns, sorted, place) {
    var first = columns[place].n ? -(place + 1) : place + 1;
    return sorted === first ? -first : first;
  }


  // --- Beginning ----------------------------------------------------------------------------------------------
  // `begin` is given the page's element and the names that codes stand for.
  kit.page = function (id, begin) {
    var place = document.getElementById(id);
    load("n", given.names).then(function (found) {
      names = found;
      if (place.tagName === "FORM") place.hidden = false;
      begin(place, names);
    }).catch(late(document.querySelector("[role=status]")));
  };
  Object.assign(kit, {
    given: given, load: load, all: all, words: words, fold: fold, sought: sought, count: count, plural: plural, money: money,
    span: span, said: said, make: make, table: table, csv: csv, save: save, tools: tools, state: state, keep:
    keep, late: late, leads: leads, LINE: LINE, at: at, stageWords: stageWords, award: award, awardColumns:
    awardColumns, arranged: arranged, turned: turned, root: root, PAGE: PAGE
  });
})();
