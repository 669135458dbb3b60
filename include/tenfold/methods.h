// Making the published methods known to a program that links the library.
// Not here: the methods, or what each can do (`tenfold methods`).
#pragma once

namespace tenfold {

/// Adds every method to the tables that models and recipes are read with: a directory whose layers
/// have another attention ("model_type": "tenfold-bert") loads only afterwards. Call once at
/// start-up, before threads; again does nothing. The program `tenfold` does it by itself.
///
///   tenfold::register_methods();
///   const auto model = tenfold::Model::load("bert-conv");
void register_methods();

}  // namespace tenfold
