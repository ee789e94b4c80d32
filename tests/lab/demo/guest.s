# The demo's guest: a boot sector on a floppy that writes a text into its first hard disk through
# the BIOS, clears its memory, reads it back, compares, and reports every step on the serial port.
    .code16
    .globl _start
_start:
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw $0x7c00, %sp
    cld

    # One sector full of the text, at 0x8000.
    movw $0x8000, %di
    movw $512 / 16, %dx
fill:
    movw $text, %si
    movw $16, %cx
    rep movsb
    decw %dx
    jnz fill

    movw $writing, %si
    call say
    movb $0x43, %ah             # extended write
    call disk
    jc broken

    # Forget it.
    movw $0x8000, %di
    movw $512, %cx
    xorb %al, %al
    rep stosb

    movw $reading, %si
    call say
    movb $0x42, %ah             # extended read
    call disk
    jc broken

    movw $0x8000, %di
    movw $512 / 16, %dx
compare:
    movw $text, %si
    movw $16, %cx
    repe cmpsb
    jne broken
    decw %dx
    jnz compare
    movw $same, %si
    call say
rest:
    hlt
    jmp rest

broken:
    movw $failed, %si
    call say
    jmp rest

disk:                           # ah: function
    xorb %al, %al
    movb $0x80, %dl             # the first hard disk
    movw $packet, %si
    int $0x13
    ret

say:                            # si: text with a final zero
    lodsb
    testb %al, %al
    jz said
    movb %al, %bl
wait:
    movw $0x3fd, %dx            # line status: room for a byte?
    inb %dx, %al
    testb $0x20, %al
    jz wait
    movw $0x3f8, %dx
    movb %bl, %al
    outb %al, %dx
    jmp say
said:
    ret

packet:                         # of the BIOS's extended calls
    .byte 16, 0
    .word 1                     # sectors
    .word 0x8000, 0             # memory
    .quad 2048                  # 1 MiB into the disk

text:    .ascii "zraid keeps it. "
writing: .asciz "guest: writing\n"
reading: .asciz "guest: reading it back\n"
same:    .asciz "guest: it is the same\n"
failed:  .asciz "guest: FAILED\n"

    .org 510
    .word 0xaa55
