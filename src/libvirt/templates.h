#pragma once

#include "util/paths.h"

#include <map>
#include <string>

namespace zraid {

/// Fills an XML template. Every attribute value and text that holds @KEY@ gets the key's value in
/// its place; this is done in the parsed document, so no value can change its structure.
/// @param name file name, such as "pool-disk.xml": taken from /etc/zraid/xml-templates where the
///        administrator has put one, else from where zraid is installed
/// @throws Error if the template is missing, broken, writable by everybody, or has an unknown @KEY@
std::string fill_template(const Paths& paths, const std::string& name,
                          const std::map<std::string, std::string>& values);

} // namespace zraid
