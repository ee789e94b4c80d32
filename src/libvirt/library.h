#pragma once

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

namespace zraid {

// Every function of libvirt's library that is called anywhere in zraid.
// clang-format off
// NOLINTNEXTLINE(cppcoreguidelines-macro-usage)
#define ZRAID_LIBVIRT_FUNCTIONS(function) \
    function(virConnectClose) \
    function(virConnectDomainEventDeregisterAny) \
    function(virConnectDomainEventRegisterAny) \
    function(virConnectGetStoragePoolCapabilities) \
    function(virConnectListAllDomains) \
    function(virConnectOpen) \
    function(virConnectRegisterCloseCallback) \
    function(virConnectUnregisterCloseCallback) \
    function(virDomainBlockResize) \
    function(virDomainDefineXMLFlags) \
    function(virDomainFree) \
    function(virDomainGetName) \
    function(virDomainGetUUID) \
    function(virDomainGetXMLDesc) \
    function(virDomainHasManagedSaveImage) \
    function(virDomainIsActive) \
    function(virDomainIsPersistent) \
    function(virDomainListAllCheckpoints) \
    function(virDomainLookupByName) \
    function(virDomainLookupByUUIDString) \
    function(virDomainSnapshotNum) \
    function(virEventAddTimeout) \
    function(virEventRegisterDefaultImpl) \
    function(virEventRemoveTimeout) \
    function(virEventRunDefaultImpl) \
    function(virGetLastError) \
    function(virSetErrorFunc) \
    function(virStoragePoolCreate) \
    function(virStoragePoolDefineXML) \
    function(virStoragePoolDestroy) \
    function(virStoragePoolFree) \
    function(virStoragePoolGetAutostart) \
    function(virStoragePoolGetUUID) \
    function(virStoragePoolIsActive) \
    function(virStoragePoolListAllVolumes) \
    function(virStoragePoolLookupByName) \
    function(virStoragePoolRefresh) \
    function(virStoragePoolSetAutostart) \
    function(virStoragePoolUndefine) \
    function(virStorageVolCreateXML) \
    function(virStorageVolDelete) \
    function(virStorageVolFree) \
    function(virStorageVolGetInfo) \
    function(virStorageVolGetName) \
    function(virStorageVolGetPath) \
    function(virStorageVolGetXMLDesc) \
    function(virStorageVolLookupByName) \
    function(virStorageVolResize)
// clang-format on

/// libvirt's library, loaded when it is first needed: with it come fifty others, which take four
/// times as long to load as a command runs that asks libvirt nothing.
struct LibvirtLibrary
{
// NOLINTNEXTLINE(cppcoreguidelines-macro-usage,bugprone-macro-parentheses)
#define ZRAID_LIBVIRT_POINTER(name) decltype(&::name) name;
    ZRAID_LIBVIRT_FUNCTIONS(ZRAID_LIBVIRT_POINTER)
#undef ZRAID_LIBVIRT_POINTER
};

/// Loads it at the first call, for good.
/// @throws Error if it is not installed
const LibvirtLibrary& libvirt();

} // namespace zraid
