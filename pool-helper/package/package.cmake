# `cpack` in the build folder makes a Debian package of what `cmake --install` would install.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME zraid)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "The developers of zraid <zraid@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGE_DESCRIPTION
"An md RAID1 of a zram device and the disk image of a virtual machine: reads come
from compressed memory, every flush reaches the disk, and the memory may go at
any time. libvirt's qemu hook attaches the memory before a domain starts.")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_DEPENDS
    "fdisk, init-system-helpers, kmod, libvirt0, libvirt-daemon-system | libvirt-daemon, mdadm (>= 4.1), parted, udev")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "libvirt-clients, lvm2, qemu-utils, xfsprogs")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "virt-manager, virtinst")
# Of libraries: what the programs were linked with.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    ${CMAKE_CURRENT_LIST_DIR}/postinst ${CMAKE_CURRENT_LIST_DIR}/prerm ${CMAKE_CURRENT_LIST_DIR}/postrm)
set(CPACK_STRIP_FILES ON)
include(CPack)
