#pragma once

#include <cstddef>

// What the module zraid-schema.so offers. libxml2 and the libraries that it brings along take
// longer to load than the hook has for a domain that is none of zraid's business, so only who reads
// a definition loads them (pools/schema.h).

extern "C" {

/// Told why a document is not taken.
/// @param next what the administrator can do; may be empty
using ZraidRefuse = void (*)(void* context, const char* what, const char* next);

/// Checks a document against a RelaxNG schema.
/// @param xml of `length` bytes
/// @param source the document's name, for messages: "source:line:column: what is wrong"
/// @return false: refuse() was called, once
bool zraid_validate(const char* schema_file, const char* xml, std::size_t length,
                    const char* source, ZraidRefuse refuse, void* context);
}
