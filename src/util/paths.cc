#include "util/paths.h"

#include "config.h"

namespace zraid {

Paths Paths::system()
{
    Paths paths;
    paths.etc = ZRAID_CONFIG_DIR;
    paths.run = ZRAID_RUN_DIR;
    paths.share = ZRAID_DATA_DIR;
    paths.lib = ZRAID_LIB_DIR;
    paths.hook = ZRAID_HOOK_DIR "/zraid";
    paths.udev_rules = ZRAID_UDEV_DIR "/63-zraid.rules";
    paths.libexec = ZRAID_LIBEXEC_DIR;
    return paths;
}

} // namespace zraid
