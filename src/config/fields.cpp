// The plain field types of a visit, and the wording of ranges.
// Not here: any visitor.
#include "config/fields.h"

#include <cmath>

namespace tenfold::config {

bool Range::holds(double value) const {
  if (std::isnan(value)) return false;
  if (low_open ? value <= low : value < low) return false;
  return high_open ? value < high : value <= high;
}

std::string Range::text() const {
  const bool bounded_below = std::isfinite(low);
  const bool bounded_above = std::isfinite(high);
  if (bounded_below && bounded_above) {
    return fmt::format("in {}{}, {}{}", low_open ? '(' : '[', low, high, high_open ? ')' : ']');
  }
  if (bounded_below) return fmt::format("{} {}", low_open ? ">" : ">=", low);
  if (bounded_above) return fmt::format("{} {}", high_open ? "<" : "<=", high);
  return "";
}

void FieldVisitor::field(std::string_view name, bool& value, std::string_view help) {
  visit({.name = name, .help = help}, &value);
}

void FieldVisitor::field(std::string_view name, int64_t& value, std::string_view help,
                         Range range) {
  visit({.name = name, .help = help, .range = range}, &value);
}

void FieldVisitor::field(std::string_view name, double& value, std::string_view help, Range range) {
  visit({.name = name, .help = help, .range = range}, &value);
}

void FieldVisitor::field(std::string_view name, std::string& value, std::string_view help,
                         std::vector<std::string> allowed) {
  visit({.name = name, .help = help, .allowed = std::move(allowed)}, &value);
}

void FieldVisitor::field(std::string_view name, std::filesystem::path& value,
                         std::string_view help) {
  std::string text = value.string();
  visit({.name = name, .help = help}, &text);
  value = text;
}

void FieldVisitor::field(std::string_view name, std::vector<int64_t>& value, std::string_view help,
                         Range range) {
  visit({.name = name, .help = help, .range = range}, &value);
}

void FieldVisitor::field(std::string_view name, std::vector<double>& value, std::string_view help,
                         Range range) {
  visit({.name = name, .help = help, .range = range}, &value);
}

void FieldVisitor::field(std::string_view name, std::vector<std::string>& value,
                         std::string_view help, std::vector<std::string> allowed) {
  visit({.name = name, .help = help, .allowed = std::move(allowed)}, &value);
}

void FieldVisitor::field(std::string_view name, std::vector<PlainValue>& value,
                         std::string_view help) {
  visit({.name = name, .help = help}, &value);
}

const ChoiceTable& FieldVisitor::kinds(std::string_view slot) const {
  static const ChoiceTable kNone;
  if (tables_ == nullptr) return kNone;
  const auto found = tables_->find(slot);
  return found == tables_->end() ? kNone : found->second;
}

}  // namespace tenfold::config
