namespace Caesar

def isLetter (c : Char) : Bool := decide (97 ≤ c.toNat) && decide (c.toNat < 123)

def shift (k : Nat) (c : Char) : Char :=
  if isLetter c then Char.ofNat (97 + (c.toNat - 97 + k) % 26) else c

def encode (k : Nat) (s : String) : String := String.ofList (s.toList.map (shift k))

def decode (k : Nat) (s : String) : String := encode (26 - k % 26) s

theorem toNat_letter : ∀ n, n < 26 → (Char.ofNat (97 + n)).toNat = 97 + n := by decide

theorem shift_shift (j k : Nat) (c : Char) : shift j (shift k c) = shift (k + j) c := by
  by_cases h : isLetter c = true
  · have small : (c.toNat - 97 + k) % 26 < 26 := Nat.mod_lt _ (by decide)
    have letter : isLetter (Char.ofNat (97 + (c.toNat - 97 + k) % 26)) = true := by
      simp only [isLetter, toNat_letter _ small]
      simp
      omega
    have inner : shift k c = Char.ofNat (97 + (c.toNat - 97 + k) % 26) := if_pos h
    rw [inner, shift, if_pos letter, toNat_letter _ small, shift, if_pos h]
    congr 2
    omega
  · simp [shift, h]

theorem shift_turn (k : Nat) (hk : k % 26 = 0) (c : Char) : shift k c = c := by
  unfold shift
  split
  · rename_i h
    simp only [isLetter, Bool.and_eq_true, decide_eq_true_eq] at h
    have : 97 + (c.toNat - 97 + k) % 26 = c.toNat := by omega
    rw [this, Char.ofNat_toNat]
  · rfl

theorem encode_encode (j k : Nat) (s : String) : encode j (encode k s) = encode (k + j) s := by
  simp only [encode, String.toList_ofList, List.map_map]
  congr 2
  funext c
  exact shift_shift j k c

theorem decode_encode (k : Nat) (s : String) : decode k (encode k s) = s := by
  rw [decode, encode_encode]
  have : shift (k + (26 - k % 26)) = id := funext (shift_turn _ (by omega))
  simp [encode, this]

theorem length_encode (k : Nat) (s : String) : (encode k s).length = s.length := by
  simp [encode]

end Caesar
