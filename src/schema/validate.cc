#include "schema/validate.h"

#include <exception>
#include <memory>
#include <mutex>
#include <string>

#include <fmt/core.h>
#include <libxml/parser.h>
#include <libxml/relaxng.h>
#include <libxml/xmlschemastypes.h>

namespace zraid {

namespace {

/// Why a document is not taken. Caught where it leaves this module.
struct Refusal
{
    std::string what;
    std::string next;
};

/// Owner of a libxml2 object with its free function.
template <typename T, auto Free>
struct Deleter
{
    void operator()(T* object) const { Free(object); }
};
template <typename T, auto Free>
using Owned = std::unique_ptr<T, Deleter<T, Free>>;

/// What libxml2 says is wrong. Of several complaints the one furthest down counts, the first of
/// those on one line: an element that does not belong is told of behind its parent, which only
/// lacks what the misspelt one should have been.
struct Complaint
{
    std::string text;
    int line = 0;
    int column = 0;
};

void note_complaint(void* context, xmlErrorPtr error)
{
    auto* complaint = static_cast<Complaint*>(context);
    if (!complaint->text.empty() && error->line <= complaint->line)
        return;
    complaint->text = error->message ? error->message : "not valid";
    complaint->text.erase(complaint->text.find_last_not_of(" \n") + 1);
    if (const auto* node = static_cast<const xmlNode*>(error->node);
        node && node->name && node->type == XML_ELEMENT_NODE)
        complaint->text = fmt::format("element '{}': {}", reinterpret_cast<const char*>(node->name),
                                      complaint->text);
    complaint->line = error->line;
    complaint->column = error->int2;
}

void ignore_complaint(void* /*context*/, xmlErrorPtr /*error*/) {}

/// libxml2 prints on stderr what no handler takes; in a hook that would be a second line.
class QuietLibxml
{
public:
    QuietLibxml() { xmlSetStructuredErrorFunc(nullptr, ignore_complaint); }
    ~QuietLibxml() { xmlSetStructuredErrorFunc(nullptr, nullptr); }
    QuietLibxml(const QuietLibxml&) = delete;
    QuietLibxml& operator=(const QuietLibxml&) = delete;
    QuietLibxml(QuietLibxml&&) = delete;
    QuietLibxml& operator=(QuietLibxml&&) = delete;
};

/// libxml2's validity errors carry a node, not a column: count it from the text, as that of the
/// first character of the line that is no blank.
int column_of_line(const std::string& xml, int line)
{
    std::size_t begin = 0;
    for (int i = 1; i < line; ++i) {
        begin = xml.find('\n', begin);
        if (begin == std::string::npos)
            return 1;
        ++begin;
    }
    const std::size_t first = xml.find_first_not_of(" \t", begin);
    return first == std::string::npos ? 1 : static_cast<int>(first - begin) + 1;
}

[[noreturn]] void refuse(const Complaint& complaint, const std::string& xml,
                         const std::string& source)
{
    const int column =
        complaint.column > 0 ? complaint.column : column_of_line(xml, complaint.line);
    throw Refusal{fmt::format("{}:{}:{}: {}", source, complaint.line, column, complaint.text),
                  "correct the file"};
}

/// libxml2 registers its types when one is asked for, and holds no lock for that; the monitor reads
/// definitions in many threads.
void register_types()
{
    static std::once_flag registered;
    std::call_once(registered, [] {
        xmlInitParser();
        xmlSchemaInitTypes();
        xmlRelaxNGInitTypes();
    });
}

void validate(const std::string& schema_file, const std::string& xml, const std::string& source)
{
    register_types();
    const QuietLibxml quiet;
    Complaint complaint;
    const Owned<xmlRelaxNGParserCtxt, xmlRelaxNGFreeParserCtxt> schema_parser(
        xmlRelaxNGNewParserCtxt(schema_file.c_str()));
    xmlRelaxNGSetParserStructuredErrors(schema_parser.get(), note_complaint, &complaint);
    const Owned<xmlRelaxNG, xmlRelaxNGFree> schema(xmlRelaxNGParse(schema_parser.get()));
    if (!schema)
        throw Refusal{fmt::format("schema '{}' cannot be read: {}", schema_file, complaint.text),
                      "install zraid again"};

    const Owned<xmlParserCtxt, xmlFreeParserCtxt> parser(xmlNewParserCtxt());
    // No network, no entities from other files, and none expanded: a definition needs none.
    const Owned<xmlDoc, xmlFreeDoc> document(
        xmlCtxtReadMemory(parser.get(), xml.data(), static_cast<int>(xml.size()), source.c_str(),
                          nullptr, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING));
    if (!document) {
        if (xmlErrorPtr error = xmlCtxtGetLastError(parser.get()))
            note_complaint(&complaint, error);
        refuse(complaint, xml, source);
    }
    if (document->intSubset)
        throw Refusal{fmt::format("{}: has a document type declaration", source), "remove it"};

    const Owned<xmlRelaxNGValidCtxt, xmlRelaxNGFreeValidCtxt> validator(
        xmlRelaxNGNewValidCtxt(schema.get()));
    xmlRelaxNGSetValidStructuredErrors(validator.get(), note_complaint, &complaint);
    if (xmlRelaxNGValidateDoc(validator.get(), document.get()) != 0)
        refuse(complaint, xml, source);
}

} // namespace

} // namespace zraid

bool zraid_validate(const char* schema_file, const char* xml, std::size_t length,
                    const char* source, ZraidRefuse refuse, void* context)
{
    try {
        zraid::validate(schema_file, std::string(xml, length), source);
        return true;
    } catch (const zraid::Refusal& refusal) {
        refuse(context, refusal.what.c_str(), refusal.next.c_str());
    } catch (const std::exception& e) {
        refuse(context, e.what(), "");
    }
    return false;
}
