// A named place for sub-modules, so that parameter names come out as Hugging Face's
// ("transform.dense.weight"). Not here: any computation.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "tensor/torch.h"

namespace tenfold::model {

class ModuleGroup : public torch::nn::Module {
 public:
  template <typename Module>
  std::shared_ptr<Module> add(const std::string& name, std::shared_ptr<Module> module) {
    return register_module(name, std::move(module));
  }
  Tensor add(const std::string& name, Tensor parameter) {
    return register_parameter(name, std::move(parameter));
  }
};

}  // namespace tenfold::model
