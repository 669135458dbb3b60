// A line chart as an SVG element: axes with round ticks, one colour per group, a legend below.
// Not here: the page's style sheet, which gives the classes s0 .. s5 their light and dark colours
// (report_html.cpp).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "eval/html.h"
#include "eval/report.h"

namespace tenfold::eval {
namespace {

constexpr double kWidth = 720, kHeight = 340;
constexpr double kLeft = 62, kRight = 16, kTop = 14, kBottom = 48;
constexpr size_t kColors = 6, kPointsPerCurve = 400;

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  void cover(double value) {
    if (!std::isfinite(value)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

/// 1, 2 or 5 times a power of ten, giving about `wanted` steps in the range.
double tick_step(const Range& range, double wanted) {
  const double raw = (range.high - range.low) / wanted;
  const double power = std::pow(10, std::floor(std::log10(raw)));
  const double lead = raw / power;
  return power * (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10);
}

/// An axis from round tick to round tick.
struct Axis {
  Range range;
  double step = 1;

  static Axis around(Range range, double wanted) {
    if (range.low > range.high) range = {0, 1};
    if (range.low == range.high) range = {range.low - 0.5, range.high + 0.5};
    const double step = tick_step(range, wanted);
    return {
        {step * std::floor(range.low / step + 1e-9), step * std::ceil(range.high / step - 1e-9)},
        step};
  }
  double share(double value) const { return (value - range.low) / (range.high - range.low); }
};

std::string tick_text(double value, double step) {
  if (std::abs(value) < step * 1e-6) value = 0;
  if (step >= 1000 && std::abs(value) >= 1e6) return fmt::format("{:g}M", value / 1e6);
  if (step >= 1000) return value == 0 ? "0" : fmt::format("{:g}k", value / 1e3);
  const int decimals = step >= 1 ? 0 : static_cast<int>(std::ceil(-std::log10(step) - 1e-9));
  return fmt::format("{:.{}f}", value, decimals);
}

struct Frame {
  Axis x, y;
  double px(double value) const { return kLeft + x.share(value) * (kWidth - kLeft - kRight); }
  double py(double value) const {
    return kHeight - kBottom - y.share(value) * (kHeight - kTop - kBottom);
  }
};

std::vector<std::string> groups_of(const Chart& chart) {
  std::vector<std::string> groups;
  for (const Curve& curve : chart.curves) {
    if (std::find(groups.begin(), groups.end(), curve.group) == groups.end())
      groups.push_back(curve.group);
  }
  return groups;
}

std::string axes_svg(const Frame& frame, const Chart& chart) {
  std::string out;
  const double bottom = kHeight - kBottom, right = kWidth - kRight;
  for (int i = 0; frame.y.range.low + i * frame.y.step <= frame.y.range.high + frame.y.step / 2;
       ++i) {
    const double value = frame.y.range.low + i * frame.y.step, at = frame.py(value);
    out += fmt::format(
        "<line class=\"grid\" x1=\"{:.0f}\" x2=\"{:.0f}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>", kLeft,
        right, at, at);
    out += fmt::format(
        "<text class=\"tick\" text-anchor=\"end\" x=\"{:.0f}\" y=\"{:.1f}\">{}</text>\n", kLeft - 8,
        at + 4, tick_text(value, frame.y.step));
  }
  for (int i = 0; frame.x.range.low + i * frame.x.step <= frame.x.range.high + frame.x.step / 2;
       ++i) {
    const double value = frame.x.range.low + i * frame.x.step, at = frame.px(value);
    out += fmt::format(
        "<line class=\"axis\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.0f}\" y2=\"{:.0f}\"/>", at, at,
        bottom, bottom + 5);
    out += fmt::format(
        "<text class=\"tick\" text-anchor=\"middle\" x=\"{:.1f}\" y=\"{:.0f}\">{}</text>\n", at,
        bottom + 19, tick_text(value, frame.x.step));
  }
  out += fmt::format(
      "<line class=\"axis\" x1=\"{:.0f}\" x2=\"{:.0f}\" y1=\"{:.0f}\" y2=\"{:.0f}\"/>\n", kLeft,
      right, bottom, bottom);
  out += fmt::format(
      "<text class=\"label\" text-anchor=\"middle\" x=\"{:.0f}\" y=\"{:.0f}\">{}</text>\n",
      (kLeft + right) / 2, kHeight - 8, html_escaped(chart.x_label));
  out += fmt::format(
      "<text class=\"label\" text-anchor=\"middle\" transform=\"translate(14 {:.0f}) "
      "rotate(-90)\">{}"
      "</text>\n",
      (kTop + bottom) / 2, html_escaped(chart.y_label));
  return out;
}

std::string path_data(const Curve& curve, const Frame& frame) {
  std::string data;
  bool pen_up = true;
  for (const auto& [x, y] : thinned(curve.points, kPointsPerCurve)) {
    if (!std::isfinite(x) || !std::isfinite(y)) {
      pen_up = true;
      continue;
    }
    data += fmt::format("{}{:.1f} {:.1f}", pen_up ? "M" : "L", frame.px(x), frame.py(y));
    pen_up = false;
  }
  return data;
}

}  // namespace

std::string svg_chart(const Chart& chart) {
  Range x, y;
  for (const Curve& curve : chart.curves) {
    for (const auto& [at, value] : thinned(curve.points, kPointsPerCurve)) {
      if (std::isfinite(at) && std::isfinite(value)) {
        x.cover(at);
        y.cover(value);
      }
    }
  }
  if (x.low <= x.high) x.cover(0);
  const Frame frame{Axis::around(x, 8), Axis::around(y, 6)};
  const auto groups = groups_of(chart);
  std::string out =
      fmt::format("<svg viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" aria-label=\"{}\">\n", kWidth,
                  kHeight, html_escaped(chart.title));
  out += axes_svg(frame, chart);
  for (const Curve& curve : chart.curves) {
    const auto group = std::find(groups.begin(), groups.end(), curve.group) - groups.begin();
    out += fmt::format("<path class=\"s{}\" d=\"{}\"><title>{}</title></path>\n",
                       static_cast<size_t>(group) % kColors, path_data(curve, frame),
                       html_escaped(curve.group + (curve.name.empty() ? "" : ", " + curve.name)));
  }
  out += "</svg>\n";
  if (groups.size() > 1) {
    out += "<p class=\"legend\">";
    for (size_t g = 0; g < groups.size(); ++g) {
      out += fmt::format("<span><i class=\"b{}\"></i>{}</span> ", g % kColors,
                         html_escaped(groups[g]));
    }
    out += "</p>\n";
  }
  return out;
}

}  // namespace tenfold::eval
