// The registration list: every slot's entries are in place after register_all().
// Not here: any method.
#pragma once

namespace tenfold::methods {

/// Adds every method to the tables of the process. Call once at start-up, before threads; again
/// does nothing.
void register_all();

}  // namespace tenfold::methods
