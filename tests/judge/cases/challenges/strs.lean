theorem hello : "hello".length = 5 ∧ 'a'.toNat = 97 := sorry

theorem big : 123456789012345678901234567890 % 7 = 0 ∨ 123456789012345678901234567890 % 7 ≠ 0 := sorry

theorem bv (x y : BitVec 8) : x + y = y + x := sorry

theorem u8 (x : UInt8) : x.toNat < 256 := sorry
