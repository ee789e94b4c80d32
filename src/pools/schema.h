#pragma once

#include "util/paths.h"

#include <string>

namespace zraid {

/// Checks a pool definition against zraidpool.rng (RelaxNG, libxml2). What was found good is
/// remembered until the next boot, so that the same text is checked against the same schema once.
/// @param source the file's name, for messages
/// @throws Error "source:line:column: what is wrong", of the first thing that is
void check_pool_schema(const Paths& paths, const std::string& xml, const std::string& source);

/// For a definition that goes.
void forget_pool_schema(const Paths& paths, const std::string& source);

/// Checks any document against any RelaxNG schema file; same errors. Loads the module that does it
/// (schema/validate.h) at the first call.
void check_schema(const Paths& paths, const std::string& schema_file, const std::string& xml,
                  const std::string& source);

} // namespace zraid
