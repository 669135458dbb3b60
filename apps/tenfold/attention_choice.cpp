// Reads the settings through the recipe's own reader, so that both say the same of a wrong one.
// Not here: the options (each kind's own).
#include "attention_choice.h"

#include "config/reader.h"
#include "nn/attention_table.h"

namespace tenfold::app {
namespace {

struct AttentionSlot {
  config::Choice attention;
  void fields(config::FieldVisitor& v) {
    v.choice("attention", attention, "attention of every layer", v.kinds("attention"));
  }
};

}  // namespace

config::Choice attention_choice(const std::string& kind, const std::vector<std::string>& settings) {
  nn::attention_table().find(kind);  // names the nearest kind where there is none
  config::Document document;
  document.set("attention.kind=" + kind);
  for (const std::string& setting : settings) document.set("attention." + kind + "." + setting);
  AttentionSlot slot;
  document.read(slot, {{"attention", nn::attention_table().choices()}});
  return slot.attention;
}

}  // namespace tenfold::app
