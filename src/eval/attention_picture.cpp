// Cells of like darkness are one path, which keeps the file small.
// Not here: colours for dark pages, as reports have them.
#include "eval/attention_picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "eval/html.h"
#include "support/fail.h"

namespace tenfold::eval {
namespace {

constexpr double kLeastCell = 11, kLeastMap = 132, kGap = 18, kCaption = 18, kMargin = 14;
constexpr double kHeading = 52, kCharacter = 6.1;
constexpr size_t kShades = 24, kLongestLabel = 16;

/// A token as it is shown: long ones are cut.
std::string label_of(const std::string& token) {
  size_t characters = 0, end = 0;
  while (end < token.size() && characters < kLongestLabel) {
    ++end;
    while (end < token.size() && (static_cast<unsigned char>(token[end]) & 0xC0) == 0x80) ++end;
    ++characters;
  }
  return html_escaped(token.substr(0, end)) + (end < token.size() ? "…" : "");
}

struct Layout {
  double cell = 0, side = 0, labels = 0;

  static Layout of(const std::vector<std::string>& tokens) {
    Layout layout;
    const auto count = static_cast<double>(tokens.size());
    layout.cell = std::max(kLeastCell, kLeastMap / count);
    layout.side = layout.cell * count;
    size_t longest = 1;
    for (const std::string& token : tokens) longest = std::max(longest, token.size());
    layout.labels = kCharacter * static_cast<double>(std::min(longest, kLongestLabel + 1)) + 8;
    return layout;
  }
  double left(size_t column) const {
    return kMargin + labels + static_cast<double>(column) * (side + kGap);
  }
  double top(size_t row) const {
    return kHeading + labels + kCaption + static_cast<double>(row) * (side + kCaption + kGap);
  }
  double middle(size_t token) const { return (static_cast<double>(token) + 0.5) * cell; }
};

std::string opacity_text(size_t shade) {
  return fmt::format("{:.3f}", static_cast<double>(shade) / static_cast<double>(kShades));
}

size_t shade_of(double weight) {
  const double dark = std::sqrt(std::clamp(weight, 0.0, 1.0));
  return static_cast<size_t>(std::lround(dark * static_cast<double>(kShades)));
}

std::string map_svg(const AttentionMap& map, const Layout& layout, size_t tokens, size_t row,
                    size_t column) {
  std::vector<std::string> paths(kShades + 1);
  for (size_t i = 0; i < tokens; ++i) {
    for (size_t j = 0; j < tokens; ++j) {
      paths[shade_of(map.weights[i * tokens + j])] +=
          fmt::format("M{:.4g} {:.4g}h{:.4g}v{:.4g}h-{:.4g}z", static_cast<double>(j) * layout.cell,
                      static_cast<double>(i) * layout.cell, layout.cell, layout.cell, layout.cell);
    }
  }
  std::string svg = fmt::format("<g transform=\"translate({:.1f} {:.1f})\">\n", layout.left(column),
                                layout.top(row));
  svg += fmt::format("<text y=\"-5\">layer {}, head {}{}</text>\n", map.layer, map.head,
                     map.note.empty() ? "" : ": " + html_escaped(map.note));
  for (size_t shade = 1; shade <= kShades; ++shade) {
    if (paths[shade].empty()) continue;
    svg += fmt::format("<path class=\"w\" fill-opacity=\"{}\" d=\"{}\"/>\n", opacity_text(shade),
                       paths[shade]);
  }
  svg +=
      fmt::format("<rect class=\"f\" width=\"{0:.1f}\" height=\"{0:.1f}\"/>\n</g>\n", layout.side);
  return svg;
}

/// What darkness means: squares of 0, 1/16, 1/4 and 1.
std::string legend_svg(double x) {
  std::string svg;
  for (const double weight : {0.0, 0.0625, 0.25, 1.0}) {
    svg += fmt::format(
        "<rect class=\"w\" fill-opacity=\"{}\" x=\"{:.1f}\" y=\"31\" width=\"12\" height=\"12\"/>"
        "<rect class=\"f\" x=\"{:.1f}\" y=\"31\" width=\"12\" height=\"12\"/>"
        "<text x=\"{:.1f}\" y=\"41\">{:g}</text>\n",
        opacity_text(shade_of(weight)), x, x, x + 16, weight);
    x += 62;
  }
  return svg +
         fmt::format("<text x=\"{:.1f}\" y=\"41\">weight; rows ask, columns are asked</text>\n", x);
}

}  // namespace

std::string svg_attention(const AttentionPicture& picture) {
  const size_t tokens = picture.tokens.size();
  const Layout layout = Layout::of(picture.tokens);
  std::map<int64_t, size_t> columns_of_layer;
  std::string maps;
  size_t widest = 1;
  for (const AttentionMap& map : picture.maps) {
    require(map.weights.size() == tokens * tokens, ErrorKind::shape, "picture",
            "layer {} head {} has {} weights for {} tokens", map.layer, map.head,
            map.weights.size(), tokens);
    const size_t column = columns_of_layer[map.layer]++;
    const size_t row = columns_of_layer.size() - 1;
    widest = std::max(widest, column + 1);
    maps += map_svg(map, layout, tokens, row, column);
  }
  std::string labels;
  for (size_t t = 0; t < tokens; ++t) {
    const std::string text = label_of(picture.tokens[t]);
    for (size_t row = 0; row < columns_of_layer.size(); ++row) {
      labels += fmt::format("<text class=\"q\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n",
                            layout.left(0) - 4, layout.top(row) + layout.middle(t) + 3.5, text);
    }
    for (size_t column = 0; column < widest; ++column) {
      labels +=
          fmt::format("<text transform=\"translate({:.1f} {:.1f}) rotate(-90)\">{}</text>\n",
                      layout.left(column) + layout.middle(t) + 3.5, layout.top(0) - kCaption, text);
    }
  }
  const double width = std::max(layout.left(widest) - kGap + kMargin, 560.0);
  const double height = layout.top(columns_of_layer.size()) - kGap - kCaption + kMargin;
  return fmt::format(
             "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" "
             "viewBox=\"0 0 {0:.0f} {1:.0f}\">\n"
             "<style>text{{font:10px ui-monospace,Menlo,Consolas,monospace;fill:#222}}"
             ".t{{font:600 14px system-ui,sans-serif}}.q{{text-anchor:end}}.w{{fill:#0b3d91}}"
             ".f{{fill:none;stroke:#bbb;stroke-width:1}}</style>\n"
             "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
             "<text class=\"t\" x=\"{2:.0f}\" y=\"22\">{3}</text>\n",
             width, height, kMargin, html_escaped(picture.title)) +
         legend_svg(kMargin) + labels + maps + "</svg>\n";
}

}  // namespace tenfold::eval
