#include "pool_options.h"

namespace zraid::cli {

void PoolOptions::add(OptionSet& command, DefineRequest& request)
{
    command
        .add_option("--compressor", request.settings.compressor,
                    "compressor of the RAM leg; default: the kernel's")
        .type_name("ALG");
    ram_limit_.add(command, "--ram-limit",
                   "memory that the RAM leg's data may take; default: the image's size");
    command
        .add_option("--attach", attach_,
                    "when there is a RAM leg: on-demand (while a domain runs) or always")
        .capture_default_str();
    command
        .add_option("--writes", writes_,
                    "what becomes of unflushed writes: cached (by the host) or through (to the "
                    "disk at once)")
        .capture_default_str();
    command.add_flag("--required", request.settings.ram_required,
                     "a domain does not start if the RAM leg cannot be had");
    bitmap_chunk_.add(command, "--bitmap-chunk",
                      "bytes for each bit of md's bitmap; default: 16M, more for large images");
    command.add_option("--description", request.settings.description, "a note for people")
        .type_name("TEXT");
}

void PoolOptions::read_into(DefineRequest& request) const
{
    request.settings.ram_limit = ram_limit_.bytes();
    request.bitmap_chunk = bitmap_chunk_.bytes();
    request.settings.writes = parse_writes(writes_);
    request.settings.attach = parse_attach_policy(attach_);
}

} // namespace zraid::cli
