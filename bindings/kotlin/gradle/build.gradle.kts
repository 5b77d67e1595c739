// The package as an Android library: sources as in pom.xml, the native library from scripts/android.sh. Not built here:
// there is no Android SDK on this machine (docs/guide/integrator.md says what could not be run).
plugins {
    id("com.android.library")
    kotlin("android")
}

android {
    namespace = "vn.langso"
    compileSdk = 36
    defaultConfig {
        minSdk = 24
        consumerProguardFiles("consumer-rules.pro")
    }
    sourceSets["main"].kotlin.srcDirs("../core/src/main/kotlin", "../../../target/bindings/kotlin/core")
    sourceSets["main"].jniLibs.srcDirs("../../../target/android/jniLibs")
    // java.time below Android 8.
    compileOptions.isCoreLibraryDesugaringEnabled = true
}

dependencies {
    api(langso.coroutines)
    implementation(langso.kotlin.stdlib)
    implementation(langso.jna) { artifact { type = "aar" } }
    coreLibraryDesugaring("com.android.tools:desugar_jdk_libs:2.1.5")
}
