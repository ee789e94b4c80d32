# A guest that writes records of 4096 bytes to random places of its second disk, one behind the
# other, and tells of each on the serial port when it is written: "number place" in hexadecimal.
# The BIOS does not negotiate virtio's flush, so QEMU flushes behind every write of it.
    .code16
    .globl _start
_start:
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %ss
    movw $0x7c00, %sp
    movw $0x0800, %ax
    movw %ax, %es               # records lie at 0x8000
    cld

next:
    imull $1664525, seed, %eax
    addl $1013904223, %eax
    movl %eax, seed
    shrl $16, %eax
    andl $2047, %eax
    movl %eax, place

    # magic, number, place, then a sequence that follows from both
    xorw %di, %di
    movl $0x6463727a, %eax
    stosl
    movl number, %eax
    stosl
    movl place, %eax
    stosl
    imull $0x01000193, number, %eax
    xorl place, %eax
    movw $1021, %cx
body:
    stosl
    imull $1664525, %eax, %eax
    addl $1013904223, %eax
    decw %cx
    jnz body

    movl place, %eax
    shll $3, %eax
    movl %eax, sector
    movw $0x4300, %ax           # extended write
    movb $0x81, %dl             # the second disk; the first is what it boots from
    movw $packet, %si
    int $0x13
    jc broken

    movl number, %eax
    call say_number
    movb $' ', %bl
    call say
    movl place, %eax
    call say_number
    movb $'\n', %bl
    call say
    incl number
    jmp next

broken:
    movb $'!', %bl
    call say
    hlt
    jmp broken

say_number:                     # eax
    movl %eax, %ebp
    movw $8, %cx
digit:
    roll $4, %ebp
    movl %ebp, %ebx
    andw $15, %bx
    movb digits(%bx), %bl
    call say
    decw %cx
    jnz digit
    ret

say:                            # bl
    movw $0x3fd, %dx            # line status: room for a byte?
wait:
    inb %dx, %al
    testb $0x20, %al
    jz wait
    movw $0x3f8, %dx
    movb %bl, %al
    outb %al, %dx
    ret

digits: .ascii "0123456789abcdef"
place:  .long 0
packet:                         # of the BIOS's extended calls
    .byte 16, 0
    .word 8                     # sectors
    .word 0, 0x0800             # memory
sector: .quad 0

    .org 502
number: .long 1                 # of the first record; patched
seed:   .long 1
    .word 0xaa55
