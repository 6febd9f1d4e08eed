theorem hello : "hello".length = 5 ∧ 'a'.toNat = 97 := ⟨by decide, rfl⟩

theorem big : 123456789012345678901234567890 % 7 = 0 ∨ 123456789012345678901234567890 % 7 ≠ 0 := by decide

theorem bv (x y : BitVec 8) : x + y = y + x := BitVec.add_comm x y

theorem u8 (x : UInt8) : x.toNat < 256 := x.toNat_lt
