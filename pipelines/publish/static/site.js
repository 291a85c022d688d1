// What pages gain with a script: tables that sort and filter, sheets side by side, and the interactive version of a
// figure on demand.
// Everything is readable without it. A classic script: pages are opened by double-click too.
(function () {
  "use strict";
  var own = document.currentScript;
  var collator = new Intl.Collator("fr", { numeric: true, sensitivity: "base" });

  function fold(text) {
    return text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").replace(/[\u00a0\u202f]/g, " ").toLowerCase();
  }

  // --- Tables -------------------------------------------------------------------------------------------------
  function key(row, column) {
    var cell = row.cells[column];
    return cell.dataset.k === undefined ? { text: cell.textContent.trim() } : { number: cell.dataset.k };
  }

  function compare(a, b, way) {
    // Marks (an empty key) stay last whichever the way.
    if (a.number === "" || b.number === "") return (a.number === "" ? 1 : 0) - (b.number === "" ? 1 : 0);
    if (a.number !== undefined && b.number !== undefined) return way * (a.number - b.number);
    return way * collator.compare(a.text || "", b.text || "");
  }

  function sortable(table) {
    var heads = Array.from(table.tHead.rows[0].cells), body = table.tBodies[0];
    heads.forEach(function (head, column) {
      var button = document.createElement("button");
      button.type = "button";
      button.append.apply(button, Array.from(head.childNodes));
      head.append(button);
      button.addEventListener("click", function () {
        var first = head.classList.contains("n") ? "descending" : "ascending";
        var other = first === "ascending" ? "descending" : "ascending";
        var order = head.getAttribute("aria-sort") === first ? other : first;
        heads.forEach(function (each) { each.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", order);
        var way = order === "ascending" ? 1 : -1;
        Array.from(body.rows)
          .map(function (row, place) { return { row: row, key: key(row, column), place: place }; })
          .sort(function (a, b) { return compare(a.key, b.key, way) || a.place - b.place; })
          .forEach(function (item) { body.append(item.row); });
      });
    });
  }

  function filterable(table) {
    var rows = Array.from(table.tBodies[0].rows);
    if (rows.length < 8) return;
    var texts = rows.map(function (row) { return fold(row.textContent); });
    var box = document.createElement("div"), label = document.createElement("label");
    var input = document.createElement("input"), status = document.createElement("output");
    box.className = "filter";
    input.type = "search";
    input.id = table.id + "-filtre";
    label.htmlFor = input.id;
    label.textContent = table.dataset.search;
    status.setAttribute("role", "status");
    box.append(label, input, status);
    table.closest(".scroll").before(box);
    var timer;
    input.addEventListener("input", function () {
      clearTimeout(timer);
      timer = setTimeout(function () {
        var words = fold(input.value).split(/\s+/).filter(Boolean), shown = 0;
        rows.forEach(function (row, place) {
          var keep = words.every(function (word) { return texts[place].includes(word); });
          row.hidden = !keep;
          shown += keep;
        });
        status.textContent = words.length ? shown + (shown < 2 ? " ligne" : " lignes") + " sur " + rows.length : "";
      }, 120);
    });
  }

  // --- Side by side -------------------------------------------------------------------------------------------
  // A list whose rows lead to sheets (a table of « what | value » each): two or three are put in one table.
  function comparable(section) {
    var list = document.getElementById(section.dataset.compare), most = 3;
    var status = section.querySelector("[role=status]"), place = section.querySelector(".scroll"), invite = status.textContent;
    var boxes = [];
    Array.from(list.tBodies[0].rows).forEach(function (row) {
      var link = row.querySelector("th a");
      if (!link) return;
      var id = link.getAttribute("href").split("#")[1];
      var label = document.createElement("label"), box = document.createElement("input");
      var name = document.createElement("span");
      name.className = "sr";
      name.textContent = " : " + link.textContent;
      box.type = "checkbox";
      box.value = id;
      label.className = "tick";
      label.append(box, "Comparer", name);
      link.closest("th").append(label);
      boxes.push(box);
      box.addEventListener("change", function () { show(true); });
    });

    function sheet(id) {
      var values = new Map();
      Array.from(document.getElementById(id).querySelectorAll("tbody tr")).forEach(function (row) {
        values.set(row.cells[0].textContent, row.cells[1]);
      });
      return values;
    }

    function show(keep) {
      var chosen = boxes.filter(function (box) { return box.checked; }).map(function (box) { return box.value; });
      boxes.forEach(function (box) { box.disabled = !box.checked && chosen.length >= most; });
      place.replaceChildren();
      if (keep) history.replaceState(null, "", chosen.length ? "#comparer=" + chosen.join("+") : "#liste");
      status.textContent = chosen.length < 2 ? invite : chosen.length + " appels côte à côte (trois au plus).";
      if (chosen.length < 2) return;
      var sheets = chosen.map(sheet), names = new Set();
      sheets.forEach(function (values) { values.forEach(function (_, name) { names.add(name); }); });
      var table = document.createElement("table"), top = table.createTHead().insertRow(), body = table.createTBody();
      table.className = "compared";
      table.createCaption().textContent = "Comparaison de " + chosen.length + " appels à projets";
      ["Information"].concat(chosen.map(function (id) { return document.getElementById(id + "-titre").textContent; }))
        .forEach(function (words) {
          var cell = document.createElement("th");
          cell.scope = "col";
          cell.textContent = words;
          top.append(cell);
        });
      names.forEach(function (name) {
        var row = body.insertRow(), first = document.createElement("th");
        first.scope = "row";
        first.textContent = name;
        row.append(first);
        sheets.forEach(function (values) {
          var cell = values.get(name), own = row.insertCell();
          if (cell) {
            own.className = cell.className;
            own.append.apply(own, Array.from(cell.cloneNode(true).childNodes));
          } else {
            own.className = "mark";
            own.textContent = "\u2013";
          }
        });
      });
      place.append(table);
    }

    section.hidden = false;
    var wanted = /^#comparer=([\w+-]+)$/.exec(location.hash);
    if (wanted) {
      wanted[1].split("+").slice(0, most).forEach(function (id) {
        boxes.forEach(function (box) { if (box.value === id) box.checked = true; });
      });
      show(false);
      section.scrollIntoView();
    }
  }

  // --- Interactive figures ------------------------------------------------------------------------------------
  var words = {
    "Download plot as a PNG": "Télécharger l’image (PNG)", "Download plot": "Télécharger l’image", "Zoom": "Zoom", "Pan": "Déplacer",
    "Zoom in": "Agrandir", "Zoom out": "Réduire", "Autoscale": "Échelle automatique", "Reset axes": "Remettre à zéro",
    "Box Select": "Sélection rectangulaire", "Lasso Select": "Sélection libre",
    "Double-click on legend to isolate one trace": "Double-cliquez dans la légende pour isoler une série"
  };

  function load(done, failed) {
    if (window.Plotly) return done();
    var script = document.createElement("script");
    script.src = own.dataset.plotly;
    script.onload = function () {
      window.Plotly.register({ moduleType: "locale", name: "fr", dictionary: words, format: {} });
      done();
    };
    script.onerror = failed;
    document.head.append(script);
  }

  function coloured(figure) {
    var style = getComputedStyle(document.documentElement);
    var value = function (name) { return style.getPropertyValue(name).trim(); };
    figure.data.forEach(function (trace) {
      if (trace.meta && trace.meta.css) trace.marker.color = value("--" + trace.meta.css);
    });
    figure.layout.font = { color: value("--text"), family: getComputedStyle(document.body).fontFamily, size: 14 };
    ["xaxis", "yaxis"].forEach(function (axis) { figure.layout[axis].gridcolor = value("--grid"); });
    figure.layout.hoverlabel = { bgcolor: value("--bg"), font: { color: value("--text") } };
    return figure;
  }

  function drawable(button) {
    var id = button.dataset.draw, place = document.getElementById(id + "-plotly");
    var title = button.textContent;
    button.hidden = false;
    button.setAttribute("aria-expanded", "false");
    button.setAttribute("aria-controls", place.id);
    button.addEventListener("click", function () {
      if (!place.hidden) {
        place.hidden = true;
        button.textContent = title;
        button.setAttribute("aria-expanded", "false");
        return;
      }
      button.textContent = "Chargement…";
      load(function () {
        place.hidden = false;
        var figure = coloured(JSON.parse(document.getElementById(id + "-json").textContent));
        window.Plotly.react(place, figure.data, figure.layout, figure.config).then(function () {
          button.textContent = "Fermer la version interactive";
          button.setAttribute("aria-expanded", "true");
        });
      }, function () {
        button.textContent = "La version interactive n’a pas pu être chargée : le tableau donne les mêmes nombres";
      });
    });
  }

  // --- Search from anywhere ------------------------------------------------------------------------------------
  function findable(form) {
    form.hidden = false;
    form.addEventListener("submit", function (event) {
      event.preventDefault();
      location.href = form.dataset.find + "#" + new URLSearchParams({ q: form.elements.q.value.trim() });
    });
  }

  document.querySelectorAll("form[data-find]").forEach(findable);
  document.querySelectorAll("table[data-search]").forEach(filterable);
  document.querySelectorAll("table[data-sortable]").forEach(sortable);
  document.querySelectorAll("[data-compare]").forEach(comparable);
  document.querySelectorAll("button[data-draw]").forEach(drawable);
})();
